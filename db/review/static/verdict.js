// The verdict: taken once original and result have been painted, sent once, and not where a part of one is missing; and
// the lease while they look.

import { prepare } from "./verdict_form.js";

const form = document.querySelector("#verdict");
const viewer = document.querySelector(".viewer");
const SETTLE_MS = 250; // a key that was meant for the page before does nothing on this one

/** Seconds for which the painted pictures stood on a visible page. */
class Look {
  total = 0;
  since = null;

  change() {
    const now = performance.now();
    if (this.since !== null) this.total += now - this.since;
    this.since = document.visibilityState === "visible" ? now : null;
  }

  get seconds() {
    this.change();
    return (this.total / 1000).toFixed(2);
  }
}

/** A verdict can be given, or none. */
function allow(may) {
  for (const button of form.querySelectorAll("button")) button.disabled = !may;
}

/** Begins to count the look, and opens the buttons in a moment. */
function open() {
  const look = new Look();
  look.change();
  document.addEventListener("visibilitychange", () => look.change());
  form.addEventListener("submit", () => { form.elements.looked_s.value = look.seconds; });
  document.querySelector(".state .before").textContent = "";
  setTimeout(() => allow(!("broken" in viewer.dataset)), SETTLE_MS);
}

/** Why the entry is theirs no more, in words; empty: it is. */
async function lostTo(held, words) {
  if (held.redirected) return words.signedOut; // to the page where one signs in
  return held.ok && !(await held.json()).yours ? words.taken : "";
}

/** Holds the entry while the page is visible, and leaves it with the page. */
function lease() {
  const { csrf } = document.body.dataset;
  const lost = document.querySelector(".lost");
  const keep = async () => {
    if (document.visibilityState !== "visible") return;
    const asked = fetch(form.dataset.lease, { method: "POST", headers: { "X-CSRF-Token": csrf } });
    const held = await asked.catch(() => null); // quiet: the next time tells
    if (held) lost.textContent = await lostTo(held, lost.dataset);
  };
  // at once, too: the word that the last page was left may come behind the word that this one is open
  addEventListener("pageshow", keep);
  document.addEventListener("visibilitychange", keep);
  setInterval(keep, (form.dataset.leaseS * 1000) / 4);
  addEventListener("pagehide", () => navigator.sendBeacon(form.dataset.leave, new URLSearchParams({ csrf })));
}

if (form) {
  viewer.addEventListener("painted", open, { once: true });
  viewer.addEventListener("broken", () => allow(false), { once: true });
  prepare(form);
  if (form.dataset.lease) lease();
}
