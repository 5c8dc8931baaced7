// What ipywidgets leaves out for those who listen, or use the keyboard: sliders and their numbers
// have no names, nothing is read out, and JupyterLab takes the arrow keys for its own.
new MutationObserver((_, observer) => {
  const explorers = [...document.querySelectorAll(".tweetlab-explorer")];
  let named = explorers.length > 0;
  for (const explorer of explorers) {
    for (const own of explorer.querySelectorAll("select, button, input, [tabindex]")) {
      own.setAttribute("data-lm-suppress-shortcuts", "true");
    }
    const words = explorer.querySelector(".tweetlab-words .widget-html-content");
    words?.setAttribute("role", "status");
    for (const slider of explorer.querySelectorAll(".widget-slider")) {
      const name = slider.querySelector(".widget-label").textContent;
      const handle = slider.querySelector(".noUi-handle");
      const number = slider.querySelector(".widget-readout");
      handle?.setAttribute("aria-label", name);
      number?.setAttribute("aria-label", `${name}, as a number`);
      number?.setAttribute("role", "textbox");
      named &&= handle && number;
    }
    named &&= words;
  }
  if (named) observer.disconnect();
}).observe(document.body, {childList: true, subtree: true});
