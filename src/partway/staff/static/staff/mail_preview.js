// Shows the frame that a preview of the mail is loaded into.

// The browser itself sends the form into the frame. In a dialog, htmx would put what comes back in place of the form.
document.addEventListener(
  "submit",
  (event) => {
    const frame = event.submitter?.formTarget && document.getElementsByName(event.submitter.formTarget)[0];
    if (!frame) return;
    event.stopPropagation();
    frame.classList.add("is-filled");
    frame.addEventListener("load", () => frame.scrollIntoView({ block: "start" }), { once: true });
    frame.focus();
  },
  true,
);
