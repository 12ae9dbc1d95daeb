import random, copy, json
from tests.api.factories import *
from tests.rooms.house import FORM, DOCUMENT, LIFECYCLE, INTAKE
ODD=[None, True, 7, -1, 1.5, "", "x", "a"*3000, [], {}, [[]], [{}], {"a":1}, ["a", 1], [None], {"$ref":"http://x"}, "2026-01-01", [{"key":[]}]]
def paths(v, at=()):
    yield at
    if isinstance(v, dict):
        for k,x in v.items(): yield from paths(x, at+(k,))
    if isinstance(v, list):
        for i,x in enumerate(v): yield from paths(x, at+(i,))
def mutate(v, rnd):
    v=copy.deepcopy(v); ps=[p for p in paths(v) if p]
    for _ in range(rnd.choice([1,1,2])):
        p=rnd.choice(ps); t=v
        try:
            for k in p[:-1]: t=t[k]
            if rnd.random()<.15 and isinstance(t,dict): t.pop(p[-1],None)
            else: t[p[-1]]=copy.deepcopy(rnd.choice(ODD))
        except (KeyError,IndexError,TypeError): pass
    return v
async def test_fuzz(client):
    await furnish(client)
    rnd=random.Random(5); bad={}
    FULL=copy.deepcopy(FORM); FULL["sections"]=[{"title":"A","fields":["company"]}]
    for n in range(500):
        which=n%5
        if which==0: r=await client.put(API+"/forms/profile", json=mutate(FULL,rnd))
        elif which==1: r=await client.put(API+"/documents/terms", json=mutate(DOCUMENT,rnd))
        elif which==2: r=await client.put(API+"/lifecycles/vendor", json=mutate(LIFECYCLE,rnd))
        elif which==3: r=await client.patch(API+"/session-templates/intake", json=mutate(dict(INTAKE),rnd))
        else: r=await client.post(API+"/parties", json=mutate(a_party(kind="guest",attributes={"a":"b"},locale="en",zone="UTC",test=False),rnd))
        if r.status_code>=500: bad.setdefault((which), []).append(r.request.content)
        r=await client.get(API+"/session-templates")
        if r.status_code>=500: bad.setdefault("list", []).append(n); break
    print({k:(len(v), v[:2]) for k,v in bad.items()})
