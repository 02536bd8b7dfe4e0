// Opens a page as a dialog: htmx fetches the same address, this shows it in the native <dialog>.
// Without this file every link opens its page.

import { hasUnsaved } from "./unsaved.js";

const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");

// After htmx has settled, because it focuses autofocus fields itself; the summary of a refused form goes first.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== content || !content.childElementCount) return;
  if (!dialog.open) dialog.showModal();
  const first = content.querySelector("[data-summary]") ?? content.querySelector("[autofocus]");
  first?.focus();
});

// What was typed is kept until it is sent or the dialog is closed; a click outside does not close it.
dialog.addEventListener("close", () => content.replaceChildren());

function close() {
  if (!hasUnsaved(content) || confirm(dialog.dataset.unsaved)) dialog.close();
}

content.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  event.preventDefault();
  close();
});

// The key itself, because a browser lets no page prevent the second `cancel` in a row; and `cancel`, for the gesture Back.
dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  close();
});
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});

// An error page is no dialog: its heading stands above the form, which keeps what was typed.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, requestConfig } = event.detail;
  if (target !== content || xhr.status === 204) return;
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const isDialog = page.body.querySelector(":scope > .dialog-head");
  // Where the role was taken away or the row is gone, a dialog without the form says so.
  if (isDialog && (![403, 404].includes(xhr.status) || page.querySelector("form"))) return;
  event.detail.shouldSwap = false;
  event.detail.isError = false;
  report(requestConfig.elt, (page.querySelector("h1") ?? page.body).textContent.trim());
});

// The connection was lost, or there is no response in time.
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => report(event.detail.elt, ""));
}

/** Shows why a request failed above the form; where no form is open, the link opens its page, which says it. */
function report(elt, heading) {
  const notice = content.querySelector("form") && content.querySelector("[data-no-response]");
  if (notice) {
    const message = notice.querySelector("[data-message]");
    message.dataset.else ??= message.textContent;
    message.textContent = heading ? heading.replace(/[^.!?]$/, "$&.") : message.dataset.else;
    notice.hidden = false;
    notice.scrollIntoView({ block: "nearest" });
  } else if (elt instanceof HTMLAnchorElement) location.href = elt.href;
}
