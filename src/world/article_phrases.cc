#include "world/article_phrases.h"

namespace rhodes {
namespace {

const ArticlePhrases kStormEnglish = {
    "{Storm batters|Sandstorm hits|Heavy storm over} $place{|, links cut again and again|, dishes lose their "
    "satellites}",
    "A {heavy|violent|sudden} storm {struck|reached|swept over} $place on $weekday at about $clock and lasted until "
    "about $end.",
    {"{Around|Nearly|More than} $count households {lost|were without} a stable internet connection while it lasted, as "
     "$cause.",
     "\"{We saw nothing but dust|It came out of nowhere|The roof of the market shook}\", said {a shopkeeper|a "
     "teacher|a driver} in $place. {Nobody was hurt.|Two people were slightly hurt.|No serious damage was reported.}",
     "{The civil defence|The municipality|The weather service} {asked|had asked} drivers to {slow down|stay at "
     "home|avoid the hills}. {Trees and signs were blown down.|Several roofs were damaged.|Schools stay open, it "
     "said.}"},
    "{dishes lost their link for seconds at a time|dust and rain weakened the signal|antennas were moved by the wind}"};
const ArticlePhrases kStormArabic = {
    "{عاصفة قوية تضرب|عاصفة رملية تجتاح|رياح شديدة في} $place{| وانقطاع متكرر للاتصال}",
    "ضربت عاصفة {قوية|شديدة|مفاجئة} $place يوم $weekday عند الساعة $clock تقريبا واستمرت حتى نحو $end.",
    {"وفقد {نحو|قرابة|أكثر من} $count منزل الاتصال المستقر بالإنترنت خلال العاصفة لأن $cause.",
     "وقال {صاحب متجر|معلم|سائق} في $place: «{لم نر سوى الغبار|جاءت من حيث لا ندري|اهتز سقف السوق}». {ولم يصب أحد "
     "بأذى.|وأصيب شخصان بجروح طفيفة.}",
     "ودعا {الدفاع المدني|المجلس البلدي|مركز الأرصاد} السائقين إلى {التمهل|البقاء في المنازل|تجنب الجبال}. {وسقطت "
     "أشجار ولوحات.|وتضررت أسقف عدة.}"},
    "{الأطباق كانت تفقد الإشارة لثوان متكررة|الغبار والمطر أضعفا الإشارة|الرياح حركت الهوائيات}"};
const ArticlePhrases kPowerEnglish = {
    "{Power cut|Blackout|Power outage} in $place{| leaves $count homes in the dark| lasts $minutes minutes}",
    "$place was without electricity on $weekday from about $clock until about $end, after $cause.",
    {"{About|Some|At least} $count homes were affected. {Internet dishes went off as well and restarted when the power "
     "returned.|Electric cars at the station could not charge.|Traffic lights failed on the main street.}",
     "The utility {spoke of a fault that is now repaired|apologised to its customers|said it would replace the part "
     "this month}. {It is the second cut this year.|Nothing of the kind had happened for a long time.}",
     "\"{We cooked by candlelight|My shop lost everything in the freezer|The children thought it was fun}\", {said a "
     "resident|a neighbour told us|said a mother of three}."},
    "{a transformer burned out|a substation failed|a digger cut a cable|a protection relay tripped}"};
const ArticlePhrases kPowerArabic = {
    "{انقطاع الكهرباء|انقطاع التيار|ظلام} في $place{| يترك $count منزل في الظلام| لمدة $minutes دقيقة}",
    "انقطعت الكهرباء عن $place يوم $weekday من نحو الساعة $clock حتى نحو $end بعد أن $cause.",
    {"وتأثر {نحو|قرابة|ما لا يقل عن} $count منزل. {وتوقفت أطباق الإنترنت ثم أعادت التشغيل مع عودة التيار.|ولم تتمكن "
     "السيارات الكهربائية من الشحن في المحطة.|وتعطلت إشارات المرور في الشارع الرئيسي.}",
     "وقالت شركة الكهرباء إن {العطل أصلح|الفنيين بدلوا القطعة|الخدمة عادت إلى الجميع}، {واعتذرت للمشتركين.|وهو ثاني "
     "انقطاع هذا العام.}",
     "«{طبخنا على ضوء الشموع|خسر متجري كل ما في الثلاجة|ظن الأطفال أنها لعبة}»، كما {قال أحد السكان|قالت إحدى "
     "الجارات}."},
    "{احترق محول|تعطلت محطة فرعية|قطعت حفارة أحد الكابلات|فصل مرحل الحماية}"};
const ArticlePhrases kRoadEnglish = {
    "{Accident blocks|Crash closes|Hours of waiting on} $place",
    "$place was {closed|blocked} on $weekday from about $clock until about $end after $cause.",
    {"{Dozens of|About forty|Many} vehicles stood in the queue. {Police led the first of them back by noon.|Drivers "
     "shared water with one another.|An ambulance took one person to hospital.}",
     "{Police|The road authority} {asks witnesses to come forward|said the surface must be cleaned|will look at the "
     "bend again}. {There were no serious injuries.|One driver was slightly hurt.}"},
    "{a lorry turned over|two cars collided|a truck lost its load|a bus left the lane}"};
const ArticlePhrases kRoadArabic = {
    "{حادث يغلق|تصادم يوقف السير على|ساعات من الانتظار على} $place",
    "أغلق السير على $place يوم $weekday من نحو الساعة $clock حتى نحو $end بعد أن $cause.",
    {"ووقفت {عشرات السيارات|قرابة أربعين سيارة|كثير من السيارات} في الطابور. {وتقاسم السائقون الماء.|ونقلت سيارة إسعاف "
     "شخصا إلى "
     "المستشفى.}",
     "وطلبت {الشرطة|هيئة الطرق} من الشهود {الاتصال بها|التقدم بإفاداتهم}. {ولم تقع إصابات خطيرة.|وأصيب سائق بجروح "
     "طفيفة.}"},
    "{انقلبت شاحنة|تصادمت سيارتان|سقطت حمولة شاحنة|انحرفت حافلة}"};
const ArticlePhrases kChargerEnglish = {
    "{Charging station|Fast chargers} in $place {out of order|fail|down for $minutes minutes}",
    "Electric cars could not charge at the station in $place on $weekday between about $clock and about $end, because "
    "$cause.",
    {"{Several|Half a dozen|Many} drivers waited {in the queue|with almost empty batteries}, others {turned back|found "
     "a socket at friends'}. {The operator apologised.|A technician came in the afternoon.}",
     "The operator of the {charging station|chargers} {speaks of a single fault|has ordered spare parts|will add two "
     "stalls}, {it said.|so a speaker.}"},
    "{the control unit had failed|a cooling pump was stuck|the stalls had lost their connection|a fuse had blown}"};
const ArticlePhrases kChargerArabic = {
    "{محطة شحن السيارات|شواحن السيارات} في $place {خارج الخدمة|تتعطل|معطلة $minutes دقيقة}",
    "لم تتمكن السيارات الكهربائية من الشحن في محطة $place يوم $weekday بين نحو الساعة $clock ونحو $end لأن $cause.",
    {"وانتظر {عدد من|كثير من} السائقين {في الطابور|ببطاريات شبه فارغة}، {واعتذرت الشركة المشغلة.|وحضر فني لاحقا.}",
     "وقالت الشركة المشغلة لمحطة الشحن إن {العطل فردي|قطع الغيار طلبت|موقفين جديدين سيضافان}، {كما أوضح متحدث.|بحسب "
     "بيان لها.}"},
    "{وحدة التحكم تعطلت|مضخة التبريد توقفت|الشواحن فقدت الاتصال|مصهرا احترق}"};
const ArticlePhrases kFestivalEnglish = {
    "{Festival|Street festival|Lantern festival} {fills|draws $count visitors to} $place",
    "{Thousands|About $count people|Visitors from all over the coast} celebrated the festival in $place on $weekday "
    "from about $clock until about $end.",
    {"{Drums and dancers|Horses and lanterns|Singers and cooks} {filled|moved through} the old town. {Cars crept "
     "through the streets at walking pace.|Parking was hopeless.|The internet became slow, since everyone filmed.}",
     "\"{It was the best one yet|We come every year|My feet hurt, but it was worth it}\", {said a visitor|said a girl "
     "on her father's shoulders}. {Police reported nothing unusual.|The mayor was content.}"},
    ""};
const ArticlePhrases kFestivalArabic = {
    "{المهرجان يملأ|مهرجان الفوانيس في|$count زائر في مهرجان} $place",
    "احتفل {الآلاف|نحو $count شخص|زوار من كل الساحل} بالمهرجان في $place يوم $weekday من نحو الساعة $clock حتى نحو "
    "$end.",
    {"وملأت {الطبول والرقصات|الخيول والفوانيس|الأغاني والأطعمة} المدينة القديمة. {وسارت السيارات ببطء شديد.|ولم يبق "
     "موقف واحد.|وصار الإنترنت بطيئا لأن الجميع يصورون.}",
     "«{كان الأجمل حتى الآن|نأتي كل عام|تعبت لكنه يستحق}»، كما {قال زائر|قالت طفلة على كتفي أبيها}. {ولم تسجل الشرطة "
     "حوادث.|وعبر رئيس البلدية عن رضاه.}"},
    ""};
const ArticlePhrases kSatelliteEnglish = {
    "{Satellite failure|Lost satellite|Satellite trouble} {cuts|interrupts} internet around $place",
    "Internet users around $place lost their connection on $weekday at about $clock for {a few minutes|some minutes|up "
    "to $minutes minutes}, because $cause.",
    {"{About|Nearly} $count dishes were affected, all at the same moment. {The sky was clear at that "
     "time.|Neighbouring satellites took over soon.}",
     "The operator {confirmed the failure|did not give details|said that other satellites closed the gap}. {Such gaps "
     "are rare, it said.|It will adjust the orbits of two others.}"},
    "{a satellite overhead stopped answering|a satellite above the coast failed|a satellite left its place}"};
const ArticlePhrases kSatelliteArabic = {
    "{عطل قمر صناعي|فقدان قمر صناعي} يقطع الإنترنت حول $place",
    "فقد مستخدمو الإنترنت حول $place الاتصال يوم $weekday عند الساعة $clock تقريبا {لدقائق|لبضع دقائق} لأن $cause.",
    {"وتأثر {نحو|قرابة} $count طبق في اللحظة نفسها. {وكانت السماء صافية.|وحلت الأقمار المجاورة مكانه سريعا.}",
     "وأكدت الشركة {العطل|أن أقمارا أخرى سدت الفجوة}، {وقالت إن ذلك نادر.|دون تفاصيل.}"},
    "{قمرا صناعيا فوق المنطقة توقف عن الرد|قمرا صناعيا فوق الساحل تعطل|قمرا صناعيا غادر مكانه}"};
const ArticlePhrases kFirmwareEnglish = {
    "{Software update|New firmware|Update} {restarts|reboots} dishes around $place",
    "Internet dishes around $place restarted on $weekday between about $clock and about $end, because $cause.",
    {"{About|Nearly} $count households were offline for two minutes each. {Many learned of it in the middle of a "
     "call.|Most did not notice.}",
     "The operator {says the new version is faster|did not announce it|advises to update at night in future}. {No "
     "action is needed.|Those who still have trouble should pull the plug once.}"},
    "{an update was installed|new firmware was rolled out|the operator sent a new software version}"};
const ArticlePhrases kFirmwareArabic = {
    "{تحديث برمجي|تحديث جديد} يعيد تشغيل الأطباق حول $place",
    "أعادت أطباق الإنترنت حول $place التشغيل يوم $weekday بين نحو الساعة $clock ونحو $end لأن $cause.",
    {"وبقي {نحو|قرابة} $count منزل بلا اتصال دقيقتين لكل منها. {وعلم كثيرون بذلك في وسط المكالمة.|ولم يلاحظ معظمهم "
     "شيئا.}",
     "وقالت الشركة إن {الإصدار الجديد أسرع|التحديثات ستجري ليلا}، {ولا يلزم فعل شيء.|دون إعلان مسبق.}"},
    "{تحديثا ثبت|إصدارا جديدا أرسل إلى الأطباق|الشركة أرسلت برنامجا جديدا}"};

const std::vector<ArticlePhrases> kOtherEnglish = {
    {"{Council|Town council} of $place {votes on|discusses} {the new market|school buses|water prices}",
     "The council of $place {met|sat} on $weekday to {talk about|decide on} {the new market hall|school buses|the "
     "price of water}.",
     {"{The vote was close|All members agreed|The matter was put off}, {as so often|after two hours|to the surprise of "
      "many}. The next meeting is in {two weeks|a month|spring}.",
      "{Residents had collected $count signatures|A group of parents had asked for it|The budget had been short for "
      "years}, {the mayor said|according to the minutes}."},
     ""},
    {"{Harvest|Date harvest|Olive harvest} {better than expected|late this year} near $place",
     "Farmers near $place {speak of a good year|are content|had to wait for the rain}, {the cooperative said|a speaker "
     "said} on $weekday.",
     {"{About|More than} $count boxes {were packed|left the valley} in one week, {a tenth more than last year|as many "
      "as last year}. Prices {are stable|fell a little|rose a little}.",
      "{Young people come back to the fields|Machines do half of the work now|Water remains the main worry}, {said one "
      "of them|says a farmer of sixty}."},
     ""},
    {"$place {wins|draws|loses} {in the last minute|after a long match|at home}",
     "The team of $place {won two to one|drew one all|lost by a single goal} on $weekday {before $count spectators|in "
     "front of a full stand}.",
     {"{The goal came in the ninetieth minute|The goalkeeper saved a penalty|A red card changed the match}, {and the "
      "stand was on its feet|to the anger of the bench}.",
      "{The coach praised his players|The captain spoke of a lesson|The next match is on Friday}, {the season is "
      "long|there is much to do}."},
     ""}};
const std::vector<ArticlePhrases> kOtherArabic = {
    {"{مجلس|المجلس البلدي في} $place {يناقش|يصوت على} {السوق الجديد|حافلات المدارس|سعر المياه}",
     "اجتمع مجلس $place يوم $weekday {لمناقشة|للتصويت على} {السوق الجديد|حافلات المدارس|سعر المياه}.",
     {"{وكان التصويت متقاربا|ووافق الجميع|وأجل القرار} {بعد ساعتين|كما يحدث كثيرا}. ويعقد الاجتماع القادم بعد "
      "{أسبوعين|شهر}.",
      "{وكان السكان جمعوا $count توقيع|وطلب الأهالي ذلك|والميزانية محدودة منذ سنوات}، كما قال رئيس البلدية."},
     ""},
    {"موسم {التمور|الزيتون} قرب $place {أفضل من المتوقع|يتأخر هذا العام}",
     "قال مزارعون قرب $place يوم $weekday إن الموسم {جيد|جاء متأخرا|يبعث على الرضا}.",
     {"وعبئ {نحو|أكثر من} $count صندوق في أسبوع واحد، {بزيادة العشر عن العام الماضي|كما في العام الماضي}. {والأسعار "
      "مستقرة.|وارتفعت الأسعار قليلا.}",
      "{والشباب يعودون إلى الحقول|والآلات تنجز نصف العمل|وتبقى المياه الهم الأول}، كما قال أحدهم."},
     ""}};

}  // namespace

const ArticlePhrases& EventArticle(EventKind kind, bool arabic) {
  switch (kind) {
    case EventKind::kStorm:
      return arabic ? kStormArabic : kStormEnglish;
    case EventKind::kPowerCut:
      return arabic ? kPowerArabic : kPowerEnglish;
    case EventKind::kRoad:
      return arabic ? kRoadArabic : kRoadEnglish;
    case EventKind::kCharger:
      return arabic ? kChargerArabic : kChargerEnglish;
    case EventKind::kFestival:
      return arabic ? kFestivalArabic : kFestivalEnglish;
    case EventKind::kSatellite:
      return arabic ? kSatelliteArabic : kSatelliteEnglish;
    case EventKind::kFirmware:
      return arabic ? kFirmwareArabic : kFirmwareEnglish;
  }
  return kStormEnglish;
}

const std::vector<ArticlePhrases>& OtherArticles(bool arabic) { return arabic ? kOtherArabic : kOtherEnglish; }

}  // namespace rhodes
