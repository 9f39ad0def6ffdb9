/*
description: One row for each artist of the catalogue, the best documented of its variants.
key: [artist_id]
distribution: { style: key, column: artist_id }
sort_key: []
*/
create table if not exists analytics.artists (
  artist_id varchar(256) not null,
  name varchar(4096) not null,
  location varchar(4096),
  latitude double precision,
  longitude double precision
)
