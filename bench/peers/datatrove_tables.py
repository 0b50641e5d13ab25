import re,sys,unicodedata,spacy
from spacy.lang import char_classes as cc
from spacy.lang.punctuation import *
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION
from spacy.pipeline.sentencizer import Sentencizer
en=spacy.blank('en').tokenizer; ar=spacy.blank('ar').tokenizer; xx=spacy.blank('xx').tokenizer
A=re.compile('[%s]'%cc.ALPHA); L=re.compile('[%s]'%cc.ALPHA_LOWER); U=re.compile('[%s]'%cc.ALPHA_UPPER)
Q=re.compile('[%s]'%cc.CONCAT_QUOTES); I=re.compile(cc.LIST_ICONS[0]); assert len(cc.LIST_ICONS)==1
BD=re.compile(r"[0-9{al}{e}{p}(?:{q})]".format(al=cc.ALPHA_LOWER,e=r"%²\-\+",q=cc.CONCAT_QUOTES,p=cc.PUNCT))
sent=set(Sentencizer.default_punct_chars)
pre=en.prefix_search; sen=en.suffix_search; sar=ar.suffix_search
assert pre.__self__.pattern==ar.prefix_search.__self__.pattern==xx.prefix_search.__self__.pattern
assert sen.__self__.pattern==xx.suffix_search.__self__.pattern
def f(c):
    b=0
    if A.match(c): b|=1
    if L.match(c): b|=2
    if U.match(c): b|=4
    if pre(c) and c!='+': b|=8
    if sen('x'+c) and c!='.' : b|=16
    if sar('x'+c) and c!='.' : b|=32
    if I.match(c): b|=64
    if BD.match(c): b|=128
    if Q.match(c): b|=256
    if c in PUNCTUATION_SET: b|=512
    if c in sent: b|=1024
    if unicodedata.category(c)[0]=='P': b|=2048
    if c in TERMINAL_PUNCTUATION: b|=4096
    if c.isalpha(): b|=8192
    if c.isspace(): b|=16384
    if re.match(r'\w',c): b|=32768
    return b
rs=[]
for cp in range(0x110000):
    if 0xd800<=cp<0xe000: v=0
    else: v=f(chr(cp))
    if rs and rs[-1][2]==v: rs[-1][1]=cp
    else: rs.append([cp,cp,v])
rs=[r for r in rs if r[2]]
print(len(rs),'ranges')
def specials(t):
    d={}
    for k,v in t.rules.items():
        toks=[x.get(65) or x.get('ORTH') for x in v]
        assert ''.join(toks)==k,(k,toks)
        d[k]=toks
    return d
out={}
for n,t in(('en',en),('ar',ar),('xx',xx)):
    d=specials(t)
    out[n]=d
    print(n,len(d),max(len(k.encode()) for k in d), t.token_match)
base=out['xx']
assert all(out['en'].get(k)==v for k,v in base.items()), [k for k,v in base.items() if out['en'].get(k)!=v]
assert all(out['ar'].get(k)==v for k,v in base.items())
q=lambda s:'"'+''.join(ch if 32<=ord(ch)<127 and ch not in '"\\?' else ''.join('\\%03o'%b for b in ch.encode()) for ch in s)+'"'
def entries(d):
    # tokens separated by \x1f
    ls=[]
    for k in sorted(d): ls.append('\x1f'.join(d[k]))
    return ls
def emit(name,d):
    o=f'const std::string_view {name}[] = {{\n'
    line='   '
    for e in entries(d):
        w=' '+q(e)+','
        if len(line)+len(w)>118: o+=line+'\n'; line='   '
        line+=w
    return o+line+'\n};\n'
dif=lambda n:{k:v for k,v in out[n].items() if base.get(k)!=v}
noic=lambda d:{k:v for k,v in d.items() if not any(c.isspace() for c in k)}
units=sorted(set(re.sub(r'\\','',cc.UNITS).split('|'))|set(cc.CURRENCY.replace('\\','').split('|')))
print(units)
with open(sys.argv[1],'w') as g:
    g.write('''// Made from spaCy 3.8 (MIT licence) and datatrove 0.10 (Apache licence 2.0): the facts of their tables, not their code.
// The ranges come of asking every code point's class of their compiled expressions, the special cases of
// Tokenizer.rules; bench/peers/datatrove_tables.py makes this file again.
#include "curate/spacy_tables.h"

namespace rhodes {

// clang-format off
const ReferenceRange kReferenceRanges[] = {
''')
    line='   '
    for a,b,v in rs:
        w=' {0x%X,0x%X,%d},'%(a,b,v)
        if len(line)+len(w)>118: g.write(line+'\n'); line='   '
        line+=w
    g.write(line+'\n};\n')
    g.write('const size_t kReferenceRangeCount = %d;\n\n'%len(rs))
    for n,c in (('kSpacyBaseCases',noic(base)),('kSpacyEnglishCases',noic(dif('en'))),('kSpacyArabicCases',noic(dif('ar')))):
        g.write(emit(n,c)); g.write('const size_t %sCount = %d;\n\n'%(n[:-1],len(c)))
    g.write(emit('kSpacyAfterDigit',{u:[u] for u in units})); g.write('const size_t kSpacyAfterDigitCount = %d;\n'%len(units))
    g.write('// clang-format on\n\n}  // namespace rhodes\n')
print([k for k in out['ar'] if any(c.isspace() for c in k)],[k for k in out['en'] if any(c.isspace() for c in k)])
print(en.infix_finditer.__self__.pattern[-700:] if hasattr(en.infix_finditer,'__self__') else '')
