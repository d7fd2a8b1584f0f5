// Keeps an open page up to date. Everything works without it: it asks for the same address again, and where the
// answer is another one changes what has changed (Idiomorph), so focus, scrolling and open folds stay.
"use strict";
(() => {
  const pollMs = 1000 * Number(document.body.dataset.poll || 5);
  const live = document.getElementById("live");
  let etag = null;
  let timer = 0;
  let lost = null;

  function say(text, isBad) {
    live.textContent = text;
    live.classList.toggle("drift", isBad);
  }

  // What the reader has unfolded and typed is the reader's.
  function keepOpen(name, node) {
    return !(name === "open" && node.tagName === "DETAILS") && !(name === "value" && node.tagName === "INPUT");
  }

  function keepTyped(node, next) {
    if (node.tagName === "INPUT" && next.tagName === "INPUT" && node.name === next.name) next.value = node.value;
  }

  function take(text) {
    const next = new DOMParser().parseFromString(text, "text/html");
    const callbacks = { beforeAttributeUpdated: keepOpen, beforeNodeMorphed: keepTyped };
    const how = { morphStyle: "innerHTML", ignoreActiveValue: true, callbacks };
    for (const part of ["main", "header nav", "#live", "#clock"]) {
      const [now, then] = [document.querySelector(part), next.querySelector(part)];
      if (now && then) Idiomorph.morph(now, then.innerHTML, how);
    }
    live.classList.remove("drift");
    document.title = next.title;
  }

  async function ask() {
    const headers = { Accept: "text/html" };
    if (etag && !lost) headers["If-None-Match"] = etag;
    try {
      const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(4000 + pollMs) });
      if (answer.status === 200) {
        take(await answer.text());
        etag = answer.headers.get("ETag");
        lost = null;
      } else if (answer.status === 404) {
        say("This is no longer watched; shown as it was last", true);
        lost = lost || new Date();
      } else if (answer.status !== 304) {
        throw new Error(String(answer.status));
      }
    } catch {
      lost = lost || new Date();
      say("No contact since " + lost.toISOString().slice(11, 19) + " UTC; trying again", true);
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, pollMs);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : ask()));
  plan();
})();
