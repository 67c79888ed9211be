// 500 names that somebody could give a layer or a class to do harm: markup, scripts, control characters, marks that turn text.
import fc from 'fast-check';

const fixed = [
  '<img src=x onerror="window.broken=1">', '<script>window.broken=1</script>', '</script><script>window.broken=1</script>', '<svg/onload=window.broken=1>',
  '<iframe srcdoc="<script>parent.broken=1</script>">', '"><b onmouseover=window.broken=1>', "' onclick='window.broken=1", '<!-- ', '-->', ']]>', '<style>*{display:none}</style>',
  '<base href=//evil.test>', '<meta http-equiv=refresh content="0;url=//evil.test">', 'javascript:window.broken=1', '${window.broken=1}', '{{window.broken=1}}', '&lt;b&gt;&amp;',
  '\u202Etxet denrut', '\u202Dforced', '\u202Bembedded', '\u202A', '\u2066open', '\u2067open', '\u2068open', '\u2069closed', '\u2069\u2069\u202E', '\u202C\u202C\u202E', '\u200Fmark', '\u061Cmark', 'אבג', 'مرحبا',
  'zero\u200Bwidth', '\u200D', '\uFEFF', '\u00AD', 'e\u0301\u0300\u0302\u0303\u0304\u0305', '\0', 'a\0b', '\u0001\u0002', '\u001B[31mred', '\u0007', '\b\b\b', '\r\n', '\t', '\u2028', '\u2029', '\u0085', '\u007F',
  '😀👨‍👩‍👧‍👦🏳️‍🌈', '\uD800', '\uDC00', '\uFFFE', '\u{E0001}', '%s%n%x', '../../etc/passwd', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', ' ', '=1+1',
  '$(bug)', '$(sync~spin) running', '\\$(error)', '$(bug', '[here](command:workbench.action.quit)', '[here](https://evil.test "title")', 'command:workbench.action.quit', '`code`', '***', '- [ ] x',
  'x'.repeat(100), 'ب'.repeat(100), '<b>'.repeat(33), 'a b '.repeat(25),
];

const piece = fc.oneof(
  fc.constantFrom(...fixed), fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc.constantFrom('<', '>', '"', "'", '&', '`', '\u202E', '\u2066', '\u2067', '\u2069', '\u200B', '\0', '</td>', '<td>', '$(bug)', '](command:x)', '[a', '\u001B[31m'),
);
const drawn = fc.sample(fc.array(piece, { minLength: 1, maxLength: 3 }).map((all) => all.join('').slice(0, 95)), { seed: 20261121, numRuns: 900 });
export const names = [...new Set([...fixed, ...drawn])].slice(0, 500);
