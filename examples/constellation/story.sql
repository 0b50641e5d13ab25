-- What people and the news desk tell: of what, where, when. A helper: no documents.
WITH told AS (
  SELECT id, source, author, time, language, text AS body, lower(text) AS words, latitude, longitude, fields['place'] AS place,
         fields['post'] AS post, coalesce(fields['repost_of'], fields['reply_to']) AS answers,
         fields['type'] AS type
  FROM posts WHERE kind = 'post'
  UNION ALL
  -- Of articles the headline and the first paragraph say what it is about.
  SELECT id, source, NULL, time, language, coalesce(fields['title'] || E'\n', '') || text,
         lower(coalesce(fields['title'] || E'\n', '') || split_part(text, E'\n\n', 1)), NULL, NULL, NULL, NULL, NULL, source
  FROM (SELECT * FROM articles UNION ALL BY NAME SELECT * FROM feeds)
),
-- The kinds of events by their words, the surest first; words that turn a sentence into everyday life.
kinds AS (
  SELECT *, CASE
    WHEN regexp_matches(words, 'last year\?|years ago|العام الماضي|قبل سنتين|road trip|power nap|storm of emails|عاصفة من الرسائل|charged up and ready') THEN NULL
    WHEN regexp_matches(words, 'festival|parade|مهرجان|fireworks|drums and|dancers and|horses and|lanterns and') THEN 'festival'
    WHEN regexp_matches(words, 'charger|charging|supercharger|\bstalls?\b|to charge|شحن|الشواحن|الشاحن|شواحن') THEN 'charger-fault'
    WHEN regexp_matches(words, 'route \d|road (from|is|closed)|الطريق|on (the )?road|طريق \d')
         AND regexp_matches(words, 'accident|crash|block|closed|closes|shut|jam\b|queue|tailback|stuck|standing|moving|not moved|collided|lorry|truck|hours of waiting|open again|free again|do not take|حادث|تصادم|مغلق|مسدود|زحمة|ازدحام|طابور|عالقون|واقف|فتح|يغلق|أغلق|السير') THEN 'road-closure'
    WHEN regexp_matches(words, 'power cut|power outage|blackout|no power|no electricity|without (power|electricity)|power (is back|went off)|electricity|the (grid|power company|substation) has|lights (just went out|are on)|everything is dark|كهرباء|التيار|ظلام|الظلام')
         AND NOT regexp_matches(words, 'power is fine|الكهرباء موجودة') THEN 'power-cut'
    WHEN regexp_matches(words, 'storm|thunder|hail|\bsand\b|\bwind\b|\brain\b|this weather|عاصفة|العاصفة|رياح|الرياح|غبار|أمطار|برد وريح|المطر') THEN 'storm'
    WHEN regexp_matches(words, 'firmware|\bupdate\b|reboot|restart|software version|تحديث|التحديث|أعاد التشغيل|يعيد التشغيل|إعادة تشغيل|إصدار') THEN 'firmware-update'
    WHEN regexp_matches(words, 'satellite|no internet|internet (just dropped|went away|is gone|is back|works again)|offline|link gone|dish (lost|says)|(call|game|meeting|stream) (died|froze)|lost their connection|الإنترنت فجأة|الاتصال فجأة|النت فصل|انقطع الإنترنت|راح الاتصال|لا إنترنت|رجع الإنترنت|عاد الاتصال|الأقمار|قمر صناعي|القمر الصناعي|قمرا صناعيا|فقد مستخدمو') THEN 'satellite-failure'
  END AS kind
  FROM told
),
-- Two and three words in a row, and hashtags: what a name may be.
tokens AS (
  SELECT id, regexp_extract_all(words, '#?[\p{L}\p{N}_]+') AS list FROM kinds
),
grams AS (
  SELECT id, unnest(list_distinct(
           list_transform(range(1, len(list)), i -> list[i] || ' ' || list[i + 1])
           || list_transform(range(1, len(list) - 1), i -> list[i] || ' ' || list[i + 1] || ' ' || list[i + 2])
           || list_filter(list, w -> w[1] = '#'))) AS gram
  FROM tokens
),
forms AS (SELECT kind, name, unnest(forms) AS form FROM gazetteer),
named AS (
  SELECT g.id, max(f.name) FILTER (f.kind = 'road') AS road,
         list_sort(list(DISTINCT f.name ORDER BY f.name) FILTER (f.kind = 'town')) AS towns,
         -- "Port Amber 2" is another town than "Port Amber": the longer name counts.
         arg_max(f.name, length(f.form)) FILTER (f.kind = 'town') AS town
  FROM grams g JOIN forms f ON f.form = g.gram
  GROUP BY g.id
),
-- The road between two towns that are named as its ends.
roads AS (
  SELECT n.id, min(r.name) AS road
  FROM named n JOIN gazetteer r ON r.kind = 'road' AND list_contains(n.towns, r.road_from) AND list_contains(n.towns, r.road_to)
  GROUP BY n.id
),
pointed AS (
  SELECT k.id, arg_min(g.name, (g.latitude - k.latitude) ** 2 + 0.83 * (g.longitude - k.longitude) ** 2) AS town
  FROM kinds k
  JOIN gazetteer g ON g.kind = 'town' AND abs(g.latitude - k.latitude) < 0.1 AND abs(g.longitude - k.longitude) < 0.11
  WHERE k.latitude IS NOT NULL
  GROUP BY k.id
),
-- Where an author mostly is, by posts that say so themselves.
homes AS (
  SELECT author, mode(coalesce(place, p.town)) AS town
  FROM kinds k LEFT JOIN pointed p USING (id)
  WHERE author IS NOT NULL AND type != 'repost' GROUP BY author
),
-- The times that an article states, by the clock of the towns (UTC+3) and the weekday before it was published.
stated AS (
  SELECT id, regexp_extract_all(body, '\d\d:\d\d') AS clocks,
         coalesce(list_position(['monday','tuesday','wednesday','thursday','friday','saturday','sunday'],
                                regexp_extract(words, '(mon|tues|wednes|thurs|fri|satur|sun)day')),
                  list_position(['الاثنين','الثلاثاء','الأربعاء','الخميس','الجمعة','السبت','الأحد'],
                                regexp_extract(body, 'يوم (\S+)', 1))) AS weekday,
         time + INTERVAL 3 HOUR AS published
  FROM kinds WHERE type IN ('articles', 'feeds')
),
days AS (
  SELECT *, date_trunc('day', published)::TIMESTAMP - to_days(((isodow(published) - weekday + 7) % 7)::INT) AS day
  FROM stated WHERE len(clocks) > 0 AND weekday > 0
),
spans AS (
  SELECT id, day + (clocks[1] || ':00')::INTERVAL - INTERVAL 3 HOUR AS "begin",
         CASE WHEN len(clocks) > 1
              THEN day + (clocks[2] || ':00')::INTERVAL - INTERVAL 3 HOUR + CASE WHEN clocks[2] < clocks[1] THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END
              ELSE day + (clocks[1] || ':00')::INTERVAL - INTERVAL 3 HOUR END AS "end"
  FROM days
)
SELECT NULL::VARCHAR AS text, k.id AS parent, k.id, k.source, k.author, k.time, k.language, k.body, k.kind, k.post, k.answers, k.type,
       CASE WHEN k.kind = 'road-closure' THEN coalesce(n.road, r.road) END AS road,
       coalesce(n.town, k.place, p.town, h.town) AS town,
       n.town IS NOT NULL OR k.place IS NOT NULL OR p.town IS NOT NULL AS placed,
       s."begin", s."end"
FROM kinds k
LEFT JOIN named n USING (id) LEFT JOIN roads r USING (id) LEFT JOIN pointed p USING (id)
LEFT JOIN homes h ON h.author = k.author LEFT JOIN spans s USING (id)
