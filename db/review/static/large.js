// The layouts that last for this window's session: large, and two pictures; in the head, so that a page opens in them at once.

"use strict";
for (const name of ["large", "two"]) document.documentElement.classList.toggle(name, sessionStorage.getItem(name) === "on");
