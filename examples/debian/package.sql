-- One document about one package: its place in the index, its long description, what changed in it, its manual page.
-- The question in front is how people ask; the model learns to answer in this form.
SELECT
  format(E'Question: What is the package {}?\nAnswer: {}\n\n{} is in section {} at version {}, maintained by {}.{}{}{}',
         p.package, coalesce(d.text, p.text), p.package, p.section, p.version, p.maintainer,
         coalesce(E' Homepage: ' || p.homepage, ''),
         coalesce(E'\n\nChanges in ' || p.package || E':\n' || c.text, ''),
         coalesce(E'\n\nManual page:\n' || m.text, '')) AS text,
  list_concat(list_filter([p.id, d.id, m.id], x -> x IS NOT NULL), coalesce(c.ids, [])) AS parents,
  'en' AS language,
  p.package AS title,
  c.time AS time
FROM (
  SELECT id, text, fields['package'] AS package, fields['section'] AS section, fields['version'] AS version,
         regexp_replace(fields['maintainer'], ' <.*', '') AS maintainer, fields['homepage'] AS homepage,
         fields['description-md5'] AS md5
  FROM packages
) p
LEFT JOIN (
  SELECT fields['package'] AS package, fields['description-md5'] AS md5, min_by(id, id) AS id, min_by(text, id) AS text
  FROM descriptions WHERE language = 'en' GROUP BY ALL
) d ON d.package = p.package AND d.md5 = p.md5
LEFT JOIN (
  -- The newest eight entries, newest first.
  SELECT package, max(time) AS time, list(id ORDER BY time DESC, id) AS ids,
         string_agg(format('{} ({}, {}): {}', version, strftime(time, '%Y-%m-%d'), author, text), E'\n' ORDER BY time DESC, id) AS text
  FROM (
    SELECT id, text, time, fields['package'] AS package, fields['version'] AS version,
           regexp_replace(author, ' <.*', '') AS author,
           row_number() OVER (PARTITION BY fields['package'] ORDER BY time DESC, id) AS place
    FROM changelogs
  ) WHERE place <= 8 GROUP BY package
) c ON c.package = p.package
LEFT JOIN (
  -- The page named as the package; a page of section 1 or 8 before others.
  SELECT fields['package'] AS package, min_by(id, (fields['section'], id)) AS id, min_by(text, (fields['section'], id)) AS text
  FROM pages WHERE lower(fields['title']) = lower(fields['package']) GROUP BY ALL
) m ON m.package = p.package
