// Shows only the fields of the chosen kind, as of a discount or a deposit.
// Without this file all are shown, and the server reads those of the chosen kind.

for (const choice of document.querySelectorAll("[data-choice]")) {
  const kind = choice.querySelector("select");
  const show = () => {
    for (const part of choice.querySelectorAll("[data-choice-of]")) part.hidden = part.dataset.choiceOf !== kind.value;
  };
  kind.addEventListener("change", show);
  show();
}
