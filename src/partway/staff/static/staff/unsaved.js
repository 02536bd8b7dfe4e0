// Asks before a changed form is left: by a link, by Back, by closing the tab, and, through dialog.js, by closing a dialog.
// Without this file nothing asks.

const submitted = new WeakSet();

// What the server wrote into the page is the default of each control; a select without one shows its first option.
function isChanged(control) {
  if (control instanceof HTMLSelectElement) {
    const written = [...control.options].findIndex((option) => option.defaultSelected);
    return control.selectedIndex !== Math.max(written, 0);
  }
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control instanceof HTMLTextAreaElement) return control.value !== control.defaultValue;
  // Some types rewrite what was written: an address with an umlaut gets its domain in ASCII, a color small letters.
  const written = document.createElement("input");
  written.type = control.type;
  written.setAttribute("value", control.defaultValue);
  return control.value !== written.value;
}

// A password was perhaps filled in by the browser, and is never shown again either way.
const isEditable = (control) =>
  control instanceof HTMLTextAreaElement ||
  control instanceof HTMLSelectElement ||
  (control instanceof HTMLInputElement && !["hidden", "submit", "button", "password"].includes(control.type));

/** Whether a form within `root` has something typed that was not sent, or that the server refused or showed again. */
export function hasUnsaved(root) {
  return [...root.querySelectorAll("form[method=post]")].some((form) => {
    if (submitted.has(form)) return false;
    const controls = [...form.elements].filter(isEditable);
    return controls.length > 0 && ("unsaved" in form.dataset || controls.some(isChanged));
  });
}

// Only the form that is sent is done with; a form beside it on the same page would still be lost.
addEventListener("submit", (event) => {
  const stays = event.defaultPrevented || event.submitter?.formTarget;
  if (!stays) submitted.add(event.target);
});

// A form in a dialog is sent by a script, and done with once the page goes on.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.getResponseHeader("HX-Redirect")) submitted.add(event.detail.elt);
});

// The browser asks in its own words.
addEventListener("beforeunload", (event) => {
  if (hasUnsaved(document)) event.preventDefault();
});

// A page that comes back from the browser's memory is as it was before it was left: not sent any more.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) submitted.delete(form);
});
