// Another style: says how many prints were found, for those who do not see them come.

const status = document.getElementById("found-status");

/** The sentence on the number, as the page that came says it. */
function tell() {
  status.textContent = document.getElementById("found-count")?.textContent ?? "";
}

document.addEventListener("htmx:after:swap", tell);
