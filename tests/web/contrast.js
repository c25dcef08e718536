() => {
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (each) => { for (; each; each = each.parentElement) { const c = parse(getComputedStyle(each).backgroundColor); if (c.length < 4 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  const wrong = [];
  for (const each of document.querySelectorAll('body *')) {
    if (!each.checkVisibility() || ![...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    if (each.disabled || each.closest('dialog:not([open])')) continue;
    const one = light(parse(getComputedStyle(each).color)), other = light(behind(each));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) wrong.push(ratio.toFixed(2) + ' ' + each.outerHTML.slice(0, 120));
  }
  return wrong;
}
