-- One document an event: what devices measured (in English and Arabic, by templates), what people wrote, what the news
-- desk printed. Each piece of its text knows the records that it is from.
WITH
kinds(kind, english, arabic) AS (
  VALUES ('storm', 'Storm', 'عاصفة'), ('power-cut', 'Power cut', 'انقطاع الكهرباء'), ('road-closure', 'Road closed', 'إغلاق طريق'),
         ('charger-fault', 'Charging station out of order', 'تعطل محطة الشحن'), ('festival', 'Festival', 'مهرجان'),
         ('satellite-failure', 'Satellite lost', 'فقدان قمر صناعي'), ('firmware-update', 'Software update of dishes', 'تحديث برمجي للأطباق')
),
-- Signs that are witnesses, and what they come to.
shown AS (
  SELECT DISTINCT w.event, s.id, s.device, s.start, s."begin", s."end", s.value,
         CASE s.what WHEN 'failure' THEN 'loss' WHEN 'renewed' THEN 'boot' WHEN 'warns' THEN 'alert' WHEN 'fault' THEN 'alert' WHEN 'outage' THEN 'alert'
                     ELSE s.what END AS what
  FROM witness w JOIN sign s USING (id)
),
summed AS (
  SELECT event, what, list(id ORDER BY "begin", id) AS ids, count(DISTINCT device) AS n, count(DISTINCT coalesce(device || start, id)) AS times,
         min("begin") AS first, max("end") AS last, min(value) AS low, max(value) AS high
  FROM shown GROUP BY event, what
),
sums AS (
  SELECT event, what, {'id': ids, 'n': n, 'times': times, 'first': first, 'last': last, 'low': low, 'high': high} AS sum FROM summed
),
device_facts AS (
  SELECT event,
         any_value(sum) FILTER (what = 'loss') AS loss, any_value(sum) FILTER (what = 'boot') AS boot, any_value(sum) FILTER (what = 'down') AS down,
         any_value(sum) FILTER (what = 'drops') AS drops, any_value(sum) FILTER (what = 'slow') AS slow,
         any_value(sum) FILTER (what = 'unpowered') AS unpowered, any_value(sum) FILTER (what = 'stands') AS stands,
         any_value(sum) FILTER (what = 'crawls') AS crawls, any_value(sum) FILTER (what = 'alert') AS alert
  FROM sums GROUP BY event
),
above AS (
  SELECT event, satellites_above("begin", latitude, longitude, 0, 25) AS list FROM happening WHERE kind = 'satellite-failure'
),
sky AS (
  SELECT event, {'id': list_transform(list, s -> s.record), 'n': len(list), 'highest': list[1].name, 'elevation': list[1].elevation} AS sky
  FROM above WHERE len(list) > 0
),
told AS (
  SELECT w.event, s.* FROM witness w JOIN story s USING (id)
),
echoes AS (
  SELECT event, {'id': list(id ORDER BY time, id), 'n': count(*)} AS echo FROM told WHERE type = 'repost' GROUP BY event
),
posts_told AS (
  SELECT event, list(part(author || ' (' || strftime(time, '%H:%M') || '): ' || body, id) ORDER BY time, id) AS lines,
         mode(language) AS language
  FROM told WHERE type IN ('post', 'reply') GROUP BY event
),
articles_told AS (
  SELECT event, list(part('Lantern Post, ' || strftime(time, '%Y-%m-%d %H:%M') || ': ' || body, id) ORDER BY time, id) AS lines
  FROM told WHERE source = 'articles' GROUP BY event
),
-- A feed holds the headline and the first words of an article that is there as well: its headline will do.
feeds_told AS (
  SELECT event, list(part('Lantern Post, feed: ' || split_part(body, E'\n', 1), id) ORDER BY time, id) AS lines
  FROM told WHERE source = 'feeds' GROUP BY event
),
facts AS (
  SELECT h.event, h."begin", h.kind, p.language, k.english, e.echo, p.lines AS posts, a.lines AS articles, f.lines AS feeds,
         {'what': k.english, 'place': {'id': g.parent, 'name': g.name}, 'begin': h."begin", 'end': h."end", 'loss': d.loss, 'boot': d.boot,
          'down': d.down, 'drops': d.drops, 'slow': d.slow, 'unpowered': d.unpowered, 'stands': d.stands, 'crawls': d.crawls, 'alert': d.alert,
          'sky': s.sky, 'echo': e.echo} AS english_facts,
         {'what': k.arabic, 'place': {'id': g.parent, 'name': g.arabic}, 'begin': h."begin", 'end': h."end", 'loss': d.loss, 'boot': d.boot,
          'down': d.down, 'drops': d.drops, 'slow': d.slow, 'unpowered': d.unpowered, 'stands': d.stands, 'crawls': d.crawls, 'alert': d.alert,
          'sky': s.sky, 'echo': e.echo} AS arabic_facts,
         g.name AS place
  FROM happening h
  JOIN kinds k USING (kind)
  JOIN gazetteer g ON g.name = h.place
  LEFT JOIN device_facts d USING (event) LEFT JOIN sky s USING (event) LEFT JOIN echoes e USING (event)
  LEFT JOIN posts_told p USING (event) LEFT JOIN articles_told a USING (event) LEFT JOIN feeds_told f USING (event)
),
documents AS (
  SELECT *, join_parts([render('event_english', english_facts), render('event_arabic', arabic_facts)]
                       || coalesce(posts, []) || coalesce(articles, []) || coalesce(feeds, []), E'\n') AS document
  FROM facts
)
SELECT document.text AS text, document.parents AS parents, document.spans AS spans, "begin" AS time, coalesce(language, 'en') AS language,
       english || ', ' || place AS title, {'kind': kind, 'place': place} AS meta
FROM documents
