# The detector in a container: `docker build -t drift-detector:0.1.0 .`
#
# Two stages: the first has what builds, the second only Python and the environment. The tag of Python is
# pinned to its minor version; pin the digest too where you build for production:
# --build-arg PYTHON=3.13-slim@sha256:...
ARG PYTHON=3.13-slim

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src

# What others wrote first: it is built anew only when the lock changes.
COPY requirements.txt requirements-build.txt ./
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --require-hashes -r requirements.txt \
 && python -m venv --without-pip /opt/build \
 && python -m pip --python /opt/build/bin/python install --require-hashes -r requirements-build.txt

COPY pyproject.toml README.md LICENSE ./
COPY detector ./detector
RUN python -m pip --python /opt/build/bin/python wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
 && python -m pip --python /opt/venv/bin/python install --no-deps --no-index \
    --find-links /opt/wheel streaming-drift-detector \
 && mkdir -p /opt/skeleton/etc/drift-detector /opt/skeleton/var/lib/drift-detector

FROM python:${PYTHON}
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="drift-detector" \
      org.opencontainers.image.description="Live data and prediction drift detection beside a model" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

COPY --from=build /opt/venv /opt/venv
# A place for the configuration, and the one place that may be written to.
COPY --from=build /opt/skeleton/etc /etc
COPY --from=build --chown=10001:10001 /opt/skeleton/var/lib/drift-detector /var/lib/drift-detector

# A container is reached from outside, so the server listens on all its addresses. As any variable this
# overrides `http.host` in the file; set DRIFT_HTTP__HOST=:: where there is only IPv6.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DRIFT_HTTP__HOST=0.0.0.0
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/drift-detector
EXPOSE 9723
STOPSIGNAL SIGTERM
# Kubernetes ignores this and has probes of its own. The slim image has no curl.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9723/healthz', timeout=3)"]
ENTRYPOINT ["drift-detector"]
CMD ["run", "--config", "/etc/drift-detector/detector.yaml"]
