-- -> generation, publisher
select generation, publisher from warehouse_state
