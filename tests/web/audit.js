() => {
  const wrong = [];
  const visible = (each) => each.checkVisibility();
  const name = (each) => (each.getAttribute('aria-label') || each.textContent || each.title || '').trim();
  for (const each of document.querySelectorAll('button, a[href]')) if (visible(each) && !name(each)) wrong.push('no name: ' + each.outerHTML);
  for (const each of document.querySelectorAll('input, select, textarea'))
    if (visible(each) && !each.labels.length && !each.getAttribute('aria-label')) wrong.push('no label: ' + each.outerHTML);
  for (const each of document.querySelectorAll('[role=progressbar], [role=img]')) if (!each.getAttribute('aria-label')) wrong.push('no name: ' + each.outerHTML);
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id stands twice');
  if (!document.documentElement.lang || !document.title) wrong.push('no language or title');
  if (document.querySelectorAll('h1').length !== 1 || !document.querySelector('main')) wrong.push('one h1, one main');
  return wrong;
}
