"use strict";
// Fetches the page again and puts it in place of what is shown. Without script it says the same.
const EVERY = 5000;
const lost = document.getElementById("lost");
let heard = Date.now();

function put(fresh) {
  const shown = document.getElementById("shown");
  // What was opened or closed by hand stays so.
  for (const details of shown.querySelectorAll("details[id]")) {
    const other = fresh.getElementById(details.id);
    if (other) other.open = details.open;
  }
  shown.replaceWith(fresh.getElementById("shown"));
  document.title = fresh.title;
}

async function refresh() {
  const selected = getSelection();
  if (document.hidden || (selected && !selected.isCollapsed)) return;
  try {
    const answer = await fetch("./", { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    heard = Date.now();
    lost.hidden = true;
  } catch (error) {
    const seconds = Math.round((Date.now() - heard) / 1000);
    lost.textContent = `No answer from the controller for ${seconds} s (${error.message}). What is shown is older than that.`;
    lost.hidden = false;
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
