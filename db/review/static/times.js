// Times as the reader's own clock shows them, in 24 hours; without this script they are in UTC, and say so.

const two = (number) => String(number).padStart(2, "0");

/** Year, month and day, as the page writes them. */
function day(time) {
  return [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
}

for (const element of document.querySelectorAll("time[datetime]")) {
  const time = new Date(element.dateTime);
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}`;
  element.textContent = element.matches(".clock") ? clock : `${day(time)} ${clock}`;
}
