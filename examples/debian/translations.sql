-- The descriptions in other languages, each behind the question in its language.
SELECT
  format(E'Question: {}\nAnswer: {}', CASE language
      WHEN 'de' THEN format('Was ist das Paket {}?', fields['package'])
      WHEN 'es' THEN format('¿Qué es el paquete {}?', fields['package'])
      WHEN 'fr' THEN format('Qu''est-ce que le paquet {} ?', fields['package'])
      ELSE format('Что такое пакет {}?', fields['package']) END, text) AS text,
  [id] AS parents,
  language,
  fields['package'] AS title
FROM descriptions
WHERE language <> 'en'
