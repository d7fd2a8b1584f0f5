"use strict";
const body = document.querySelector("#features tbody");
document.querySelectorAll("#features th button").forEach((button, column) => {
  let direction = -1;
  button.addEventListener("click", () => {
    direction = -direction;
    const key = (row) => row.children[column].dataset.sort;
    const rows = Array.from(body.rows);
    rows.sort((a, b) => {
      const x = key(a), y = key(b);
      const numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
      return direction * (numbers ? x - y : x.localeCompare(y));
    });
    body.append(...rows);
  });
});
document.querySelector("#search").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const row of body.rows) {
    const shown = row.textContent.toLowerCase().includes(wanted);
    row.hidden = !shown;
    const target = row.querySelector("a").getAttribute("href").slice(1);
    document.getElementById(target).hidden = !shown;
  }
});
const unfold = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target) target.open = true;
};
window.addEventListener("hashchange", unfold);
unfold();
