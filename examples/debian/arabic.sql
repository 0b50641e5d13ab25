-- Short answers in Arabic for every eighth package, from the index alone.
SELECT
  format(E'Question: ما هي الحزمة {}؟\nAnswer: {} حزمة من قسم {} في دبيان، إصدارها {}، ويصونها {}.',
         fields['package'], fields['package'], fields['section'], fields['version'],
         regexp_replace(fields['maintainer'], ' <.*', '')) AS text,
  [id] AS parents,
  'ar' AS language,
  fields['package'] AS title
FROM packages
WHERE ord(id[1]) % 8 = 0
