// Of the fields that belong to a choice, only those of the chosen one are shown: a discount, a deposit.
// Without this file all of them are, and the server reads the one that counts.

for (const choice of document.querySelectorAll("[data-choice]")) {
  const kind = choice.querySelector("select");
  const show = () => {
    for (const part of choice.querySelectorAll("[data-choice-of]")) part.hidden = part.dataset.choiceOf !== kind.value;
  };
  kind.addEventListener("change", show);
  show();
}
