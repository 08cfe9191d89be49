// Keys: whatever carries data-key="x" is clicked when x is pressed; where the letters are switched off, nothing is.

/** Is the person writing somewhere? */
function writing(target) {
  return target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;
}

/** The first shown element of this key. */
function holder(key) {
  const found = document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`);
  return [...found].find((each) => each.checkVisibility() && !each.matches(":disabled"));
}

export function shortcutsOn() {
  return document.body.dataset.shortcuts === "on";
}

document.addEventListener("keydown", (event) => {
  if (!shortcutsOn() || event.defaultPrevented || event.repeat || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
  if (document.querySelector("dialog[open]") && !event.target.closest("dialog[open]")) return;
  const found = holder(event.key);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input:not([type=checkbox]):not([type=radio]), textarea, select")) found.focus();
  else found.click();
});
