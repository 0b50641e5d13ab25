-- Towns and roads by every form in which people write them. A helper: its rows have no text and make no document.
WITH rows AS (
  SELECT id, fields['kind'] AS kind, fields['name'] AS name, fields['arabic'] AS arabic, latitude, longitude,
         fields['from'] AS road_from, fields['to'] AS road_to
  FROM places
),
towns AS (SELECT * FROM rows WHERE kind = 'town')
SELECT NULL::VARCHAR AS text, r.id AS parent, r.kind, r.name, r.arabic, r.latitude, r.longitude, r.road_from, r.road_to,
       a.latitude AS from_latitude, a.longitude AS from_longitude, b.latitude AS to_latitude, b.longitude AS to_longitude,
       -- What a text may hold instead of the name: in both languages, with and without a hashtag.
       [lower(r.name), r.arabic, '#' || lower(replace(r.name, ' ', '')), '#' || replace(r.arabic, ' ', '_')] AS forms
FROM rows r
LEFT JOIN towns a ON a.name = r.road_from AND r.kind = 'road'
LEFT JOIN towns b ON b.name = r.road_to AND r.kind = 'road'
WHERE r.kind IN ('town', 'road')
