// The verdict: taken once original and result have been painted, sent once; and the lease while she looks.

const form = document.querySelector("#verdict");

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

/** Opens the buttons, and begins to count the look. */
function open() {
  const look = new Look();
  look.change();
  document.addEventListener("visibilitychange", () => look.change());
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  document.querySelector(".waiting .before").textContent = "";
  form.addEventListener("submit", () => { form.elements.looked_s.value = look.seconds; });
}

/** A second click, or a key held down, sends nothing. */
function sendOnce() {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
}

/** The list of reasons: opened by its button, left with Escape. */
function reasons() {
  const [button, list] = [form.querySelector(".return"), form.querySelector("#reasons")];
  const show = (open) => {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    (open ? list.querySelector("button") : button).focus();
  };
  button.addEventListener("click", () => show(list.hidden));
  form.addEventListener("keydown", (event) => { if (event.key === "Escape" && !list.hidden) show(false); });
}

/** Escape leaves the note, so that the keys mean verdicts again. */
function note() {
  const { note } = form.elements;
  note.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing) note.blur(); });
}

/** Holds the entry while the page is visible, and leaves it with the page. */
function lease() {
  const { csrf } = document.body.dataset;
  const lost = document.querySelector(".waiting .lost");
  const keep = async () => {
    if (document.visibilityState !== "visible") return;
    const asked = fetch(form.dataset.lease, { method: "POST", headers: { "X-CSRF-Token": csrf } });
    const answer = await asked.then((held) => held.json()).catch(() => null); // quiet: the next time tells
    lost.textContent = answer?.yours === false ? lost.dataset.said : "";
  };
  // at once, too: the word that the last page was left may come behind the word that this one is open
  addEventListener("pageshow", keep);
  document.addEventListener("visibilitychange", keep);
  setInterval(keep, (form.dataset.leaseS * 1000) / 4);
  addEventListener("pagehide", () => navigator.sendBeacon(form.dataset.leave, new URLSearchParams({ csrf })));
}

if (form) {
  document.querySelector(".viewer").addEventListener("painted", open, { once: true });
  sendOnce();
  reasons();
  note();
  if (form.dataset.lease) lease();
}
