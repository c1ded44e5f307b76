// What is wider than the screen, or than what holds it.
(() => {
  const wrong = [];
  const screen = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > screen) {
    wrong.push(`the page: ${document.documentElement.scrollWidth} of ${screen}`);
  }
  for (const element of document.body.querySelectorAll("*:not(svg *)")) {
    const box = element.getBoundingClientRect();
    if (box.width && (box.right > screen + 1 || box.left < -1)) {
      wrong.push(`${element.tagName}.${element.className}: ${box.left} to ${box.right}`);
    }
    const clips = getComputedStyle(element).overflowX !== "visible";
    if (!clips && box.width > 2 && element.scrollWidth > element.clientWidth + 1 && element.clientWidth) {
      wrong.push(`${element.tagName}.${element.className} holds ${element.scrollWidth} in ${element.clientWidth}`);
    }
  }
  return wrong;
})();
