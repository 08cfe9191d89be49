// The form of a verdict, on one entry or on many: its list of reasons, its note, and that it is sent once.

/** Makes the form work by keys. */
export function prepare(form) {
  sendOnce(form);
  reasons(form);
  note(form);
}

/** A second click, or a key held down, sends nothing. */
function sendOnce(form) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => { sent = false; });
}

/** The list of reasons: opened by its button, left with Escape. */
function reasons(form) {
  const [button, list] = [form.querySelector(".return"), form.querySelector("#reasons")];
  const show = (open) => {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    (open ? list.querySelector("button") : button).focus();
  };
  button.addEventListener("click", () => show(list.hidden));
  list.querySelector(".back")?.addEventListener("click", () => show(false)); // where the list hides its button
  form.addEventListener("keydown", (event) => { if (event.key === "Escape" && !list.hidden) show(false); });
}

/** Escape leaves the note, so that the keys mean verdicts again. */
function note(form) {
  const { note } = form.elements;
  note.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing) note.blur(); });
}
