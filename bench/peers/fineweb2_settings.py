import subprocess,yaml,sys
R=sys.argv[1]  # a clone of FineWeb-2's repository
names=[l for l in subprocess.run(['git','-C',R,'ls-tree','-r','--name-only','HEAD','configs/'],capture_output=True,text=True).stdout.split() if l.endswith('.yml')]
p=subprocess.run(['git','-C',R,'cat-file','--batch'],input='\n'.join('HEAD:'+n for n in names),capture_output=True,encoding='utf-8').stdout if 0 else None
import io
pr=subprocess.Popen(['git','-C',R,'cat-file','--batch'],stdin=subprocess.PIPE,stdout=subprocess.PIPE)
L=yaml.CSafeLoader
rows=[];keys=set();mx=0
for n in names:
    pr.stdin.write(('HEAD:'+n+'\n').encode()); pr.stdin.flush()
    h=pr.stdout.readline().split(); b=pr.stdout.read(int(h[2])); pr.stdout.read(1)
    d=yaml.load(b.decode(),L); keys|=set(d)
    code=n[8:-4]
    sw=d['stopwords']; sw=[str(x) for x in sw]; mx=max(mx,len(sw))
    assert not any('\t' in s for s in sw),(code,sw)
    assert [x[0] for x in d['dup_n_grams']]==[5,6,7,8,9,10] and [x[0] for x in d['top_n_grams']]==[2,3,4],code
    g=lambda x:'%.10g'%x
    rows.append('\t'.join([code]+[g(d[k]) for k in ('language_score','dup_line_frac','line_punct_thr','min_avg_word_length','max_avg_word_length','max_non_alpha_words_ratio','new_line_ratio')]+[g(x[1]) for x in d['top_n_grams']]+[g(x[1]) for x in d['dup_n_grams']]+sw))
print(keys,len(rows),mx,sum(len(r.encode()) for r in rows),max(len(r.encode()) for r in rows))
rows.sort()
esc=lambda s:s.replace('\\','\\\\').replace('"','\\"').replace('?','\\?').replace('\t','\\t')
with open(sys.argv[1],'w',encoding='utf-8') as f:
    f.write('''// Made from the files configs/*.yml of FineWeb-2 (commit d0defb2, Apache licence 2.0) by
// bench/peers/fineweb2_settings.py: code, language_score, dup_line_frac, line_punct_thr, min_avg_word_length,
// max_avg_word_length, max_non_alpha_words_ratio, new_line_ratio, top_n_grams of 2 to 4, dup_n_grams of 5 to 10, and
// the stop words.
#include "curate/fineweb2_table.h"

namespace rhodes {

// clang-format off
const std::string_view kFineWeb2Rows[] = {
''')
    for r in rows: f.write('"%s",\n'%esc(r))
    f.write('};\n// clang-format on\nconst size_t kFineWeb2RowCount = %d;\n\n}  // namespace rhodes\n'%len(rows))
