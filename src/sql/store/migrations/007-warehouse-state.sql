-- What the replicas know of the state of the warehouse's data: cached answers are of one generation.

create table warehouse_state (
  id integer primary key check (id = 1),
  -- Raised before every commit in the warehouse.
  generation bigint not null,
  -- Who is about to commit, or died over it; null when readers may trust the generation.
  publisher text
);
insert into warehouse_state values (1, 0, null);
