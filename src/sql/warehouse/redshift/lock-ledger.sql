-- First in the transaction: its snapshot is then taken when the load before it has committed.
lock ops.load_lock
