-- -> new_objects
select count(*) as new_objects from load_new_objects
