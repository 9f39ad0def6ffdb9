-- -> object_no
select object_no from load_new_objects order by object_no
