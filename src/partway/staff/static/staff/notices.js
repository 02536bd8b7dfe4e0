// Moves the focus to the notice of what was just done, so that it is read out and the keyboard goes on from there.

// A status that is in the page from its start is announced by no screen reader.
const notice = document.querySelector("[data-notices] > *");
if (notice && !document.querySelector("[autofocus]")) notice.focus();
