-- Which record belongs to which event. A helper: no documents.
WITH
-- Signs of devices, by place and time.
local_signs AS (
  SELECT h.event, h.kind, s.id, s.source, s.what, s.start, s.device
  FROM sign s JOIN happening h ON coalesce(s.road, s.town) = h.place AND s."begin" BETWEEN h."begin" - INTERVAL 2 MINUTE AND h."end" + INTERVAL 2 MINUTE
  WHERE h.kind = 'storm' AND s.what IN ('loss', 'drops', 'warns')
     OR h.kind = 'power-cut' AND s.what IN ('boot', 'outage', 'unpowered')
     OR h.kind = 'charger-fault' AND s.what IN ('fault', 'unpowered')
     OR h.kind = 'festival' AND s.what IN ('slow', 'crawls')
     OR h.kind = 'road-closure' AND s.what = 'stands'
),
regional_signs AS (
  SELECT h.event, h.kind, s.id, s.source, s.what, s.start, s.device
  FROM sign s JOIN happening h ON s."begin" BETWEEN h."begin" AND h."end"
  WHERE h.kind = 'satellite-failure' AND s.what = 'failure' OR h.kind = 'firmware-update' AND s.what = 'renewed'
),
-- A car without power is the grid's when the grid was down there.
device_signs AS (
  SELECT * FROM (FROM local_signs UNION ALL FROM regional_signs)
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY kind != 'power-cut', event) = 1
),
-- The status that was asked for during an outage belongs where the outage does.
downs AS (
  SELECT DISTINCT d.event, d.kind, s.id, s.source
  FROM sign s JOIN device_signs d ON d.device = s.device AND d.start = s.start WHERE s.what = 'down'
),
told AS (
  SELECT h.event, h.kind, s.id, s.source, s.post, s.time
  FROM story s JOIN happening h ON h.kind = s.kind AND h.place = coalesce(s.road, s.town)
       AND coalesce(s."begin", s.time) BETWEEN h."begin" AND h."end"
  WHERE s.type IN ('post', 'articles', 'feeds')
  UNION ALL
  SELECT h.event, h.kind, s.id, s.source, s.post, s.time
  FROM story s JOIN happening h ON h.kind = s.kind AND s.kind IN ('satellite-failure', 'firmware-update')
       AND (list_contains(h.towns, s.town) OR s.town IS NULL)
       AND CASE WHEN s."begin" IS NOT NULL THEN s."begin" BETWEEN h."begin" - INTERVAL 10 MINUTE AND h."begin" + INTERVAL 10 MINUTE
                ELSE s.time BETWEEN h."begin" - INTERVAL 1 MINUTE AND h."end" + INTERVAL 35 MINUTE END
  WHERE s.type IN ('post', 'articles', 'feeds')
),
-- What repeats or answers a post belongs where the post does.
echoes AS (
  SELECT t.event, t.kind, s.id, s.source FROM story s JOIN told t ON t.post = s.answers WHERE s.type IN ('reply', 'repost')
),
-- The satellites that stood above the region when the link was lost, by the element sets of that time.
overhead AS (
  SELECT event, kind, unnest(list_transform(satellites_above("begin", latitude, longitude, 0, 25), s -> s.record)) AS id, 'satellites' AS source
  FROM happening WHERE kind = 'satellite-failure'
)
SELECT NULL::VARCHAR AS text, id AS parent, event, kind, id, source
FROM (SELECT event, kind, id, source FROM device_signs UNION SELECT event, kind, id, source FROM downs
      UNION SELECT event, kind, id, source FROM told UNION SELECT event, kind, id, source FROM echoes UNION SELECT event, kind, id, source FROM overhead)
