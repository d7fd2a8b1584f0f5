"""The manifests: rendered by kubectl, valid by Kubernetes' own schemas, right about the program.

There was no cluster: what a real one makes of them is not known from here.
"""

import subprocess
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import ValidationError

import detector
from detector.assembly import assemble
from detector.config import DEFAULT_PORT, load_config
from detector.store import write_baseline
from tests.deploy.operator_schema import PodMonitor, PrometheusRule
from tests.deploy.shipped import DEPLOY, PROMETHEUS, ROOT, RULES
from tests.support.factories import baseline_of, training_rows

KUBERNETES = DEPLOY / "kubernetes"
RENDERED = ("base", "examples/standalone", "examples/sidecar")
OPERATOR = {"PodMonitor": PodMonitor, "PrometheusRule": PrometheusRule}

OLDEST = "1.29"
"""The oldest version looked at: native sidecars are on by default from there on."""

Manifest = dict[str, Any]

each_tree = pytest.mark.parametrize("tree", RENDERED)


@cache
def rendered(tree: str) -> tuple[Manifest, ...]:
    """Return what `kubectl kustomize` makes of a directory."""
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run(
        [kubectl, "kustomize", str(KUBERNETES / tree)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(tree: str, kind: str) -> list[Manifest]:
    return [manifest for manifest in rendered(tree) if manifest["kind"] == kind]


def pod(tree: str) -> Manifest:
    (deployment,) = of_kind(tree, "Deployment")
    return deployment["spec"]["template"]


def detector_in(tree: str) -> Manifest:
    """Return the detector's container, wherever in the Pod it is."""
    spec = pod(tree)["spec"]
    (found,) = [
        one
        for one in (*spec["containers"], *spec.get("initContainers", ()))
        if one["name"] == "drift-detector"
    ]
    return found


@pytest.mark.parametrize("version", [OLDEST, "1.37"])
@each_tree
def test_a_cluster_would_accept_what_is_rendered(tree, version):
    """By Kubernetes' schemas, unknown keys refused; those of the operator by models of our own."""
    for manifest in rendered(tree):
        if manifest["kind"] in OPERATOR:
            OPERATOR[manifest["kind"]].model_validate(manifest)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_slip_of_the_pen_would_be_refused():
    """The check above can fail."""
    (deployment,) = of_kind("examples/sidecar", "Deployment")
    text = yaml.safe_dump(deployment)
    assert "restartPolicy: Always" in text
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            yaml.safe_load(text.replace("restartPolicy", "restartPolcy")), "1.37", strict=True
        )
    (monitor,) = of_kind("examples/sidecar", "PodMonitor")
    with pytest.raises(ValidationError):
        PodMonitor.model_validate(yaml.safe_load(yaml.safe_dump(monitor).replace("interval", "intervall")))


@each_tree
def test_ports_and_paths_are_those_of_the_program(tree):
    """One named port; what asks for health or metrics asks where the answer is."""
    container = detector_in(tree)
    (port,) = container["ports"]
    probes = [container[name]["httpGet"] for name in container if name.endswith("Probe")]

    assert port == {"name": "drift-metrics", "containerPort": DEFAULT_PORT}
    assert {probe["port"] for probe in probes} == {"drift-metrics"}
    assert {probe["path"] for probe in probes} <= {"/healthz", "/readyz"}
    assert container["image"].endswith(f"drift-detector:{detector.__version__}")


@each_tree
def test_the_detector_may_do_nothing_that_it_need_not(tree):
    """No root, no capability, no writing but to its directory, no token, bounded memory."""
    container, spec = detector_in(tree), pod(tree)["spec"]
    allowed = spec["securityContext"] | container["securityContext"]
    writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]

    assert allowed["runAsNonRoot"]
    assert allowed["runAsUser"] == 10001
    assert allowed["readOnlyRootFilesystem"]
    assert not allowed["allowPrivilegeEscalation"]
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert allowed["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not spec["automountServiceAccountToken"]
    assert writable == ["/var/lib/drift-detector"]
    assert set(container["resources"]["limits"]) == {"memory"}


def test_the_standalone_detector_is_one():
    """Two would each read everything and alert twice; also not for the time of an update."""
    (deployment,) = of_kind("base", "Deployment")

    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_a_sidecar_never_takes_its_model_out_of_service():
    """Its readiness would be the Pod's. And it outlives the model: it is a native sidecar."""
    container = detector_in("examples/sidecar")

    assert "readinessProbe" not in container
    assert container["restartPolicy"] == "Always"
    assert container["livenessProbe"]["periodSeconds"] * container["livenessProbe"]["failureThreshold"] >= 60


def test_the_sidecar_leaves_the_model_as_it_was():
    """The component adds; it changes nothing that the model's own manifest says."""
    own = yaml.safe_load((KUBERNETES / "examples" / "sidecar" / "model.yaml").read_text())["spec"]
    (deployment,) = of_kind("examples/sidecar", "Deployment")
    spec = deepcopy(deployment["spec"])
    template = spec["template"]["spec"]

    added = {key: template.pop(key) for key in ("initContainers", "volumes")}
    del spec["template"]["metadata"]["labels"]["drift-detector"]
    assert spec == own
    assert [one["name"] for one in added["initContainers"]] == ["drift-detector"]


@pytest.mark.parametrize("tree", ["examples/standalone", "examples/sidecar"])
def test_prometheus_finds_the_pods_under_the_name_that_the_rules_count_on(tree):
    """The monitor's labels and port are those of the Pod; its limits those of prometheus.yml."""
    (monitor,) = of_kind(tree, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (wanted,) = monitor["spec"]["selector"]["matchExpressions"]
    (scrape,) = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]

    assert pod(tree)["metadata"]["labels"][wanted["key"]] in wanted["values"]
    assert endpoint["port"] == detector_in(tree)["ports"][0]["name"]
    assert endpoint["path"] == "/metrics"
    assert {"targetLabel": "job", "replacement": scrape["job_name"]} in endpoint["relabelings"]
    for limit in ("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit"):
        first, *rest = limit.split("_")
        assert monitor["spec"][first + "".join(map(str.title, rest))] == scrape[limit]


def test_service_and_policy_are_about_the_pod():
    """They select it, and speak of its port."""
    labels = pod("base")["metadata"]["labels"].items()
    (service,) = of_kind("base", "Service")
    (policy,) = of_kind("base", "NetworkPolicy")
    ((ingress,),) = [rule["ports"] for rule in policy["spec"]["ingress"]]

    assert service["spec"]["selector"].items() <= labels
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels
    assert service["spec"]["ports"][0]["targetPort"] == detector_in("base")["ports"][0]["name"]
    assert ingress["port"] == DEFAULT_PORT


@each_tree
def test_the_files_in_the_pod_are_what_the_program_takes(tree, tmp_path, rng):
    """The configuration loads, and finds the baselines beside it, linked as Kubernetes links them."""
    (mapped,) = of_kind(tree, "ConfigMap")
    (volume,) = [v for v in pod(tree)["spec"]["volumes"] if "projected" in v]
    sources = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
    mounted, content = tmp_path / "etc", tmp_path / "etc" / "..2026"
    content.mkdir(parents=True)
    for name, text in mapped["data"].items():
        (content / name).write_text(text)
        (mounted / name).symlink_to(Path("..2026") / name)
    config = load_config(mounted / "detector.yaml", {})
    for model in config.models:
        name = f"{model.name}-1.json"
        built = baseline_of(training_rows(rng, 1000), model=model.name)
        write_baseline(content / name, built)
        (mounted / name).symlink_to(Path("..2026") / name)

    assert sources == [mapped["metadata"]["name"], "drift-baselines"]
    assert {key.model for key in assemble(config).baselines} == {model.name for model in config.models}
    assert config.warnings == ()


def test_the_state_volume_takes_the_place_of_the_disk_that_does_not_last():
    """One volume under one name, and the claim that it names."""
    (claim,) = of_kind("examples/standalone", "PersistentVolumeClaim")
    (volume,) = [v for v in pod("examples/standalone")["spec"]["volumes"] if v["name"] == "state"]

    assert volume == {"name": "state", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}


def test_made_files_are_what_the_script_makes(tmp_path):
    """Nobody edits them by hand, and nobody forgets to make them anew."""
    script = ROOT / "tools" / "make_manifests.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}

    assert len(made) == 3
    for path, text in made.items():
        assert (DEPLOY / path).read_text() == text, path


def test_the_operator_gets_the_rules_of_prometheus():
    """Every one, unchanged."""
    (rule,) = of_kind("examples/standalone", "PrometheusRule")

    assert rule["spec"]["groups"] == yaml.safe_load(RULES.read_text())["groups"]
