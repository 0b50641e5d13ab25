// A small project on input in the demo's real formats, written by us: package index, descriptions, changelogs, manual
// pages, an Arabic and an English handbook page. The same seed gives the same files.
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const words = ('system library network package file service kernel module user manager server client protocol compression archive '
  + 'language python terminal editor image audio video font database query index compiler debugger shell script remote secure '
  + 'local fast small simple portable graphical command line tool support development runtime data common plugin theme').split(' ');

// A small generator (mulberry32), so that the fixture does not depend on the engine's Math.random.
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function writeInput(directory, packages = 300) {
  const next = random(7);
  const pick = (count) => Array.from({ length: count }, () => words[Math.floor(next() * words.length)]).join(' ');
  let index = '';
  let english = '';
  for (let i = 0; i < packages; ++i) {
    const name = `lib${words[i % words.length]}${i}`;
    const md5 = i.toString(16).padStart(32, '0');
    const synopsis = `${pick(4)} for the ${pick(2)} number ${i}`;
    index += `Package: ${name}\nVersion: 1.${i % 7}-2\nMaintainer: Person ${i % 11} <person${i % 11}@example.org>\nSection: utils\n`
      + `Priority: optional\nDescription: ${synopsis}\nDescription-md5: ${md5}\n\n`;
    english += `Package: ${name}\nDescription-md5: ${md5}\nDescription-en: ${synopsis}\n This package holds the ${pick(12)}.\n .\n It is used with ${pick(9)}.\n\n`;
    if (i % 5 === 0) {
      const entries = [2, 1].map((n) => `${name} (1.${n}-1) unstable; urgency=medium\n\n  * Fix the ${pick(5)}.\n  * Update the ${pick(4)}.\n\n`
        + ` -- Person ${i % 11} <person${i % 11}@example.org>  Mon, 0${n} Jan 2024 10:00:00 +0100\n`).join('\n');
      mkdirSync(`${directory}/packages/${name}/usr/share/doc/${name}`, { recursive: true });
      writeFileSync(`${directory}/packages/${name}/usr/share/doc/${name}/changelog.Debian.gz`, gzipSync(entries));
    }
    if (i % 10 === 0) {
      const page = `.TH ${name.toUpperCase()} 1\n.SH NAME\n${name} \\- ${synopsis}\n.SH DESCRIPTION\n.B ${name}\nreads the ${pick(20)}.\n.PP\nIt then writes the ${pick(20)}.\n`;
      mkdirSync(`${directory}/packages/${name}/usr/share/man/man1`, { recursive: true });
      writeFileSync(`${directory}/packages/${name}/usr/share/man/man1/${name}.1.gz`, gzipSync(page));
    }
  }
  mkdirSync(`${directory}/index`, { recursive: true });
  mkdirSync(`${directory}/descriptions`, { recursive: true });
  mkdirSync(`${directory}/manuals/html/ar-MA`, { recursive: true });
  writeFileSync(`${directory}/index/Packages`, index);
  writeFileSync(`${directory}/descriptions/Translation-en`, english);
  writeFileSync(`${directory}/manuals/html/ar-MA/page.html`,
    '<html lang="ar"><head><title>الحزم</title></head><body><h1>إدارة الحزم</h1><p>تدير دبيان البرامج على شكل حزم، ولكل حزمة وصف وإصدار ومن يصونها.'
    + ' يمكن تثبيت الحزم وإزالتها بأمر واحد، ويحسب النظام ما تعتمد عليه كل حزمة.</p></body></html>');
  writeFileSync(`${directory}/manuals/guide.txt`, `This guide tells how packages are installed. ${pick(200)}.\n`);
}

export function projectText({ out = 'out', seed = 1, tokens = 12288, learningRate = 0.003, data = 'data', extra = '' } = {}) {
  return `[project]
name = "fixture"
out = "${out}"
seed = ${seed}

[[source]]
name = "packages"
paths = ["${data}/index/Packages"]
format = "debian-packages"
rights = { owner = "the test", training = "allowed" }

[[source]]
name = "descriptions"
paths = ["${data}/descriptions"]
format = "debian-packages"
rights = { owner = "the test", training = "allowed" }

[[source]]
name = "changelogs"
paths = ["${data}/packages/*/usr/share/doc/*/changelog*"]
format = "debian-changelog"
rights = { owner = "the test", training = "allowed" }

[[source]]
name = "pages"
paths = ["${data}/packages/*/usr/share/man"]
format = "man"
rights = { owner = "the test", training = "allowed" }

[[source]]
name = "manuals"
paths = ["${data}/manuals"]
rights = { owner = "the test", training = "allowed" }

[[fuse.view]]
name = "package"
sql = """
SELECT format(E'Question: What is the package {}?\\\\nAnswer: {}{}', p.fields['package'], d.text,
              coalesce(E'\\\\n\\\\nChanges:\\\\n' || c.text, '')) AS text,
       list_concat([p.id, d.id], coalesce(c.ids, [])) AS parents
FROM packages p
JOIN descriptions d ON d.fields['package'] = p.fields['package']
LEFT JOIN (SELECT fields['package'] AS package, list(id ORDER BY time, id) AS ids, string_agg(text, E'\\\\n' ORDER BY time, id) AS text
           FROM changelogs GROUP BY package) c ON c.package = p.fields['package']
"""

[[fuse.view]]
name = "page"
source = "pages"

[[fuse.view]]
name = "manual"
source = "manuals"

[curate]
rules = ["normalise", "language", "exact"]

[tokenize]
vocabulary = 512
validation = 0.05

[train]
layers = 2
width = 64
context = 64
batch = 4
tokens = ${tokens}
learning_rate = ${learningRate}
eval_every = 16
checkpoint_seconds = 0.05

[ask]
questions = ["What is the package libsystem0?", "What is the package libnetwork2?"]
max_tokens = 24
${extra}`;
}
