// The large layout of the entries' pages, for this window's session; in the head, so that a page opens in it at once.

"use strict";
document.documentElement.classList.toggle("large", sessionStorage.getItem("large") === "on");
