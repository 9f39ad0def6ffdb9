/*
description: Always empty. A load locks this table rather than the ledger, whose readers a lock would keep waiting.
key: []
distribution: { style: all }
sort_key: []
*/
create table if not exists ops.load_lock (
  load_id bigint
)
