import gc
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import QueuePool
e=create_engine("sqlite:////tmp/recall/p2.db",poolclass=QueuePool)
S=sessionmaker(e)
class R: pass
gc.disable()
for i in range(3):
    r=R(); r.db=S(); r.db.execute(text("select 1")).all(); r=None
    print(e.pool.checkedout())
gc.collect(); print(e.pool.checkedout())
