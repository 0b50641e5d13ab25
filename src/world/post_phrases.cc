#include "world/post_phrases.h"

namespace rhodes {
namespace {

using Phrases = std::vector<std::string_view>;

const Phrases kStormEnglish = {
    "{Wild|Terrible|Crazy|Huge} {storm|thunderstorm|wind} {right now|tonight|outside} $in, {internet|the dish|our "
    "link} keeps {dropping|cutting out|dying} $tag",
    "{Dust storm|Sandstorm|Thunder and hail} $in. {Can't see the end of the street|The sky is orange|Windows are "
    "shaking}. $tag",
    "{Stay inside|Be careful|Keep your kids in}, the storm $in is {getting worse|no joke|right above us} $tag",
    "{Rain|Hail|Sand} {everywhere|like I have never seen} $in and the connection {drops every two minutes|is gone "
    "again|comes and goes}",
    "anyone else losing {internet|signal|connection} $in with this {weather|storm|wind}? {third time in half an "
    "hour|it is up and down|so annoying} $tag",
    "{Trees down|A roof flew off|Signs on the street} because of the {storm|wind} $in, {please drive slowly|stay "
    "safe|hope everyone is ok} $tag",
    "video call {frozen|dead} for the {third|fifth} time, {thanks|blame} the storm $in"};
const Phrases kStormArabic = {
    "{عاصفة|عاصفة رملية|رياح} {قوية|شديدة|مخيفة} $in والإنترنت {يقطع|ينقطع كل دقيقتين|ضعيف جدا} $tag",
    "{الجو|الطقس} {سيئ جدا|مرعب} $in، {غبار|أمطار ورعد|برد وريح} {ولا نرى شيئا|من كل جانب} $tag",
    "{انتبهوا|ابقوا في البيوت|الله يحفظكم}، العاصفة $in {تشتد|فوقنا الآن|لم تنته بعد}",
    "{هل|يا جماعة هل} {انقطع|يتقطع} الاتصال عندكم $in بسبب {العاصفة|الرياح|المطر}؟ $tag",
    "{سقطت أشجار|طارت اللوحات|تضرر سقف} $in من {شدة الرياح|العاصفة}، {سوقوا بحذر|سلامات للجميع}",
    "الشبكة {تروح وترجع|مقطوعة} مع هذه {العاصفة|الرياح} $in $tag"};
const Phrases kPowerEnglish = {
    "{Power cut|Blackout|Power outage|No electricity} $in {since $clock|again|right now}. {Whole street is "
    "dark|Everything went off at once|Even the traffic lights are out} $tag",
    "{Lights just went out|Electricity is gone|The power went off} $in, {anyone else?|is it only us?|how long this "
    "time?} $tag",
    "no {power|electricity}, no {internet|wifi}, no {AC|coffee} $in. {Lovely|Great evening|What a day} $tag",
    "the {grid|power company|substation} has {failed|let us down} again $in, {fridge is warming up|sitting in the "
    "dark|phone at 12 %}",
    "{Blackout|Power outage} $in: {I heard a bang from the transformer|the substation hums no more|the shop closed its "
    "shutters by hand} $tag",
    "{$minutes minutes|almost an hour|quite a while} without {power|electricity} $in now, {no word from the "
    "utility|hotline is busy}",
    "everything is dark $in, {generators starting up everywhere|candles out|stars look great though} #blackout"};
const Phrases kPowerArabic = {
    "{انقطاع|انقطاع تام في} {الكهرباء|التيار الكهربائي} $in {منذ $clock|من جديد|الآن} $tag",
    "{الكهرباء مقطوعة|انقطعت الكهرباء|طفت الكهرباء} $in، {عندكم أيضا؟|هل من أحد يعرف السبب؟|والحر لا يطاق} $tag",
    "لا كهرباء ولا {إنترنت|شبكة|تكييف} $in {منذ $minutes دقيقة|منذ الظهر|حتى الآن}",
    "{ظلام دامس|الحي كله في الظلام|الشارع كله مطفي} $in، {سمعت انفجار المحول|شركة الكهرباء لا ترد|شغلنا المولد} $tag",
    "{شركة الكهرباء|يا شركة الكهرباء} {وين الكهرباء|متى ترجع الكهرباء} $in؟ $tag",
    "التيار {مقطوع|انقطع فجأة} $in {وإشارات المرور لا تعمل|والمحلات أغلقت|وبطارية الجوال تنتهي}"};
const Phrases kRoadEnglish = {
    "{Accident|Crash|Big accident} on $road, {both lanes blocked|nothing moves|police are there}. {Avoid it|Take "
    "another way|Expect delays} $tag",
    "{Stuck|Standing|Not moving} on $road for {$minutes minutes|ages}, {there is a truck across the lanes|road is "
    "closed ahead|nobody knows why} $tag",
    "$road is {closed|blocked|shut}. {A lorry turned over|Two cars collided|Oil on the asphalt}, {turn around if you "
    "can|go by the old track}",
    "{Traffic jam|Huge queue|Long tailback} on $road, {must be an accident|ambulance just passed|engine off, windows "
    "down} $tag",
    "anybody know what happened on $road? {Everything is standing|police closed the road|we have not moved for "
    "$minutes minutes}",
    "do not take $road now!! {closed after a crash|blocked completely|recovery truck still on the way} $tag"};
const Phrases kRoadArabic = {
    "{حادث|حادث مروري|حادث كبير} على $road، {المساران مغلقان|السير متوقف|الشرطة في المكان}، {تجنبوه|خذوا طريقا آخر} "
    "$tag",
    "{عالقون|واقفين} على $road منذ {$minutes دقيقة|مدة طويلة}، {شاحنة منقلبة|الطريق مسدود أمامنا|ولا أحد يعرف السبب} "
    "$tag",
    "$road {مغلق|مسدود} {بسبب حادث|بعد تصادم سيارتين|بعد انقلاب شاحنة}، {ارجعوا إن استطعتم|انتبهوا}",
    "{زحمة|ازدحام|طابور طويل} على $road، {أكيد حادث|مرت سيارة إسعاف|أطفأنا المحركات} $tag",
    "ماذا حدث على $road؟ {السير واقف تماما|الشرطة أغلقت الطريق}"};
const Phrases kChargerEnglish = {
    "{All chargers|Every stall|The fast chargers} {dead|out of order|broken} $in, {plugged in and nothing|zero "
    "kW|error on the screen} $tag",
    "{Charging station|Supercharger|The charger} $in is {down|out of service|broken}, {6 cars waiting|8 % left|now "
    "what?} $tag",
    "came all the way to charge $in and the {station|charging station} {does not deliver|gives no power|is offline} "
    "{:(|, great|. Again.}",
    "if you need to charge: not $in. {stalls show a fault|the station is faulty|no charging since $clock} $tag",
    "{tried three stalls|tried every cable} at the charging station $in, {no power|fault light on all of them}"};
const Phrases kChargerArabic = {
    "{محطة الشحن|الشواحن|كل الشواحن} {معطلة|خارج الخدمة|لا تعمل} $in، {وصلت الكابل ولا شيء|صفر كيلوواط|عطل على الشاشة} "
    "$tag",
    "{جئت لأشحن السيارة|أحتاج شحن السيارة} $in و{محطة الشحن|الشاحن} {معطل|معطلة تماما|بدون طاقة}، {والبطارية 8 %|ماذا "
    "أفعل؟} $tag",
    "لا تذهبوا لشحن سياراتكم $in، {المحطة معطلة منذ $clock|الشاحن لا يعمل|سيارات كثيرة تنتظر}",
    "{جربت ثلاثة شواحن|جربت كل الكابلات} في محطة الشحن $in {ولا واحد يعمل|وكلها عطلانة} $tag"};
const Phrases kFestivalEnglish = {
    "{Festival|The parade|Street festival} $in! {So many people|Music everywhere|Streets are packed|Best night of the "
    "year} $tag",
    "{the whole country seems to be|everyone I know is|thousands are} at the festival $in, {traffic at walking "
    "pace|not a parking space left|phone network is crawling}",
    "{lanterns|drums|dancers|horses} and {great food|crowds|fireworks} $in, {worth the queue|come if you can|love this "
    "festival} $tag",
    "{took us an hour to cross town|cars creep through town|roads full of people} $in because of the "
    "{festival|parade}, {but what a sight|bring patience} $tag",
    "upload is {super slow|hopeless} $in, {too many people at the festival|everyone is filming the parade} $tag"};
const Phrases kFestivalArabic = {
    "{مهرجان|المهرجان|موكب المهرجان} $in! {ناس كثيرة|الموسيقى في كل مكان|الشوارع مزدحمة|أجمل ليلة} $tag",
    "{كل الناس|آلاف الزوار} في المهرجان $in، {السيارات تمشي ببطء|لا موقف واحد|الشبكة بطيئة جدا}",
    "{فوانيس|طبول|عروض خيول} و{أكل لذيذ|ألعاب نارية|زحام جميل} في المهرجان $in، {تعالوا|أجواء رائعة} $tag",
    "{ساعة كاملة لنعبر البلدة|السير بطيء} $in بسبب المهرجان، {لكن المنظر يستحق|خذوا الصبر معكم}"};
const Phrases kSatelliteEnglish = {
    "internet {just dropped|went away|is gone} $in, {weather is perfect though|not a cloud in the sky|power is fine}. "
    "{You too?|Satellite problem?} $tag",
    "{dish says searching|dish lost the satellites|no satellites} $in, {sky is clear|never seen that}. $tag",
    "{call|game|meeting|stream} {died|froze} at $clock, {no internet|whole link gone} $in {for a few minutes|, then "
    "back}",
    "everyone $in offline at the same {second|moment}? {must be a satellite|something is up in the sky} $tag"};
const Phrases kSatelliteArabic = {
    "{انقطع الإنترنت|راح الاتصال|النت فصل} فجأة $in {والجو صاف|ولا غيمة في السماء|والكهرباء موجودة}، {وأنتم؟|مشكلة في "
    "القمر الصناعي؟} $tag",
    "الطبق {يبحث عن الأقمار|فقد الأقمار الصناعية} $in، {السماء صافية|أول مرة أرى هذا} $tag",
    "{المكالمة|البث|الاجتماع} {انقطع|انقطعت} عند $clock، لا إنترنت $in {لدقائق|ثم رجع}"};
const Phrases kFirmwareEnglish = {
    "{my dish|the dish|our terminal} {just rebooted|restarted by itself} $in, {new firmware?|update?|new software "
    "version} $tag",
    "{update|firmware} {pushed to the dish|rolled out} $in, {offline for two minutes|reboots in the middle of my "
    "call}, {why now|of course} $tag",
    "{is it the new firmware|software update} that {restarts|reboots} {every dish|all dishes} $in? {mine took two "
    "minutes|back up now}",
    "dish {booting|rebooting} $in, {version changed after that|looks like an update} $tag"};
const Phrases kFirmwareArabic = {
    "{الطبق|جهاز الاتصال} {أعاد التشغيل|يعيد التشغيل} وحده $in، {تحديث جديد؟|إصدار جديد؟} $tag",
    "{تحديث|تحديث البرنامج} {وصل للأطباق|نزل الآن} $in، {دقيقتان بلا إنترنت|في وسط المكالمة}، {لماذا الآن|طبعا} $tag",
    "هل {التحديث الجديد|تحديث البرنامج} يعيد تشغيل {كل الأطباق|الأطباق} $in؟ {عندي أخذ دقيقتين|رجع الآن}"};

const Phrases kStormOverEnglish = {
    "storm {is over|has passed} $in, {link is stable again|everything is full of sand|cleaning up} $tag",
    "{finally quiet|the wind has dropped} $in after the storm, {all fine here|internet is back}"};
const Phrases kStormOverArabic = {
    "{انتهت العاصفة|هدأت العاصفة} $in {والحمد لله|والاتصال رجع|وكل شيء مغطى بالرمل} $tag"};
const Phrases kPowerOverEnglish = {
    "{power is back|lights are on again|electricity returned} $in {after $minutes minutes|at last|, thank you}! $tag"};
const Phrases kPowerOverArabic = {"{رجعت الكهرباء|عادت الكهرباء} $in {بعد $minutes دقيقة|أخيرا|الحمد لله} $tag"};
const Phrases kRoadOverEnglish = {
    "$road is {open again|free again|moving again} {after the crash|, took long enough} $tag"};
const Phrases kRoadOverArabic = {"{فتح|تم فتح} $road {من جديد|بعد الحادث|والسير طبيعي} $tag"};
const Phrases kChargerOverEnglish = {
    "chargers $in {work again|are back}, {charging at 90 kW|thanks to the technician} $tag"};
const Phrases kChargerOverArabic = {"{محطة الشحن|الشواحن} $in {تعمل من جديد|رجعت للعمل} $tag"};
const Phrases kFestivalOverEnglish = {"what a festival $in! {home at last|feet hurt|see you next year} $tag"};
const Phrases kFestivalOverArabic = {"انتهى المهرجان $in، {كان رائعا|إلى العام القادم} $tag"};
const Phrases kSatelliteOverEnglish = {
    "internet {is back|works again} $in, {nobody says why|a satellite, apparently} $tag"};
const Phrases kSatelliteOverArabic = {"{رجع الإنترنت|عاد الاتصال} $in، {يقولون قمر صناعي|ولا أحد يشرح السبب} $tag"};
const Phrases kFirmwareOverEnglish = {
    "dish {is up again|came back} $in with the new firmware, {seems faster|no difference} $tag"};
const Phrases kFirmwareOverArabic = {"الطبق رجع $in بعد التحديث، {أسرع قليلا|لا فرق} $tag"};

const Phrases kReplyEnglish = {"{same here|here too|us too}{| since a while|, whole block|, unfortunately}",
                               "{can confirm|yes, same|exactly the same here}{|, so strange|, stay safe}",
                               "{since when?|how long already?|did anybody call them?}",
                               "{it is the whole quarter|neighbours too|my parents say the same}"};
const Phrases kReplyArabic = {"{عندنا أيضا|ونحن كذلك|نفس الشيء هنا}{| منذ مدة|، الحي كله| للأسف}",
                              "{صحيح|أؤكد|نعم نفس الحال}{|، غريب|، سلامتكم}", "{منذ متى؟|كم المدة؟|هل اتصل أحد بهم؟}"};

const Phrases kChatterEnglish = {
    "{Best|Worst|First} {coffee|tea|bread} of the {day|week} {at the corner shop|with my sister|before work}",
    "{my phone|the old laptop|this tablet} {battery|screen} {dies|gives up} faster every {week|month}",
    "road trip {to $other|along the coast|through the hills} {next weekend|was lovely}, {any tips?|pictures soon|the "
    "road is beautiful}",
    "{power nap|long walk|cold shower} {done|needed}, {back to work|feeling new}",
    "{great|decent|fast} internet {all week|today}, {no complaints|finally watched the whole series}",
    "who is {watching the match|cooking tonight|up already}? {1:0 so far|kabsa here|cannot sleep}",
    "{sunset|moon|sky} {$in|over the hills} {tonight is unreal|looks painted|, no filter}",
    "{storm of emails|a flood of messages} this {morning|afternoon}, {send help|closing the laptop}",
    "{exam|interview|presentation} tomorrow, {wish me luck|so nervous|ready}",
    "{new bakery|new library|bookshop} $in {opens on Thursday|is worth a visit|, loved it}",
    "{dates|lemons|tomatoes} are {cheap|great} at the market {$in|today}",
    "charged up and ready: {gym|school run|new week}, {let's go|here we come}",
    "{cat|dog|goat} {stole my lunch|sleeps on the keyboard|of the neighbours is back}",
    "learning {Arabic|Spanish|the oud|chess}, {day $minutes|slowly but surely}",
    "{traffic lights|parking|prices} {again|in this town}, {do not get me started|what can you do}",
    "{remember|throwback to} the festival {last year|two years ago}? {good times|miss it}"};
const Phrases kChatterArabic = {
    "{أفضل|أول} {قهوة|كأس شاي} {هذا الصباح|مع الأصدقاء|قبل العمل}",
    "بطارية {الجوال|الحاسوب} {تنتهي بسرعة|صارت ضعيفة} {كل يوم|هذه الأيام}",
    "رحلة {إلى $other|على الساحل|بين الجبال} {الأسبوع القادم|كانت رائعة}، {أي نصائح؟|الطريق جميل}",
    "{من يتابع المباراة|من يطبخ الليلة|من صاحي}؟ {واحد صفر|عندنا كبسة|لا أستطيع النوم}",
    "{غروب|سماء|قمر} {$in|فوق الجبال} {الليلة رائع|كأنها لوحة}",
    "{عاصفة من الرسائل|سيل من المكالمات} هذا {الصباح|المساء}، {النجدة|سأغلق الحاسوب}",
    "{امتحان|مقابلة|عرض} غدا، {ادعوا لي|متوتر قليلا|مستعد}",
    "{مخبز جديد|مكتبة جديدة} $in {تستحق الزيارة|تفتح الخميس}",
    "{التمر|الليمون|الطماطم} {رخيص|ممتاز} في السوق {$in|اليوم}",
    "{القطة|العنزة} {سرقت غدائي|نامت على لوحة المفاتيح}",
    "الإنترنت {سريع|ممتاز} {هذا الأسبوع|اليوم}، {بدون شكوى|أخيرا أكملت المسلسل}",
    "أتعلم {الإنجليزية|العود|الشطرنج}، {اليوم $minutes|خطوة خطوة}",
    "{تتذكرون|ذكريات} مهرجان {العام الماضي|قبل سنتين}؟ {أيام جميلة|اشتقت إليه}"};

const Phrases& Choose(bool arabic, const Phrases& english, const Phrases& in_arabic) {
  return arabic ? in_arabic : english;
}

}  // namespace

const Phrases& EventPhrases(EventKind kind, bool arabic) {
  switch (kind) {
    case EventKind::kStorm:
      return Choose(arabic, kStormEnglish, kStormArabic);
    case EventKind::kPowerCut:
      return Choose(arabic, kPowerEnglish, kPowerArabic);
    case EventKind::kRoad:
      return Choose(arabic, kRoadEnglish, kRoadArabic);
    case EventKind::kCharger:
      return Choose(arabic, kChargerEnglish, kChargerArabic);
    case EventKind::kFestival:
      return Choose(arabic, kFestivalEnglish, kFestivalArabic);
    case EventKind::kSatellite:
      return Choose(arabic, kSatelliteEnglish, kSatelliteArabic);
    case EventKind::kFirmware:
      return Choose(arabic, kFirmwareEnglish, kFirmwareArabic);
  }
  return kStormEnglish;
}

const Phrases& OverPhrases(EventKind kind, bool arabic) {
  switch (kind) {
    case EventKind::kStorm:
      return Choose(arabic, kStormOverEnglish, kStormOverArabic);
    case EventKind::kPowerCut:
      return Choose(arabic, kPowerOverEnglish, kPowerOverArabic);
    case EventKind::kRoad:
      return Choose(arabic, kRoadOverEnglish, kRoadOverArabic);
    case EventKind::kCharger:
      return Choose(arabic, kChargerOverEnglish, kChargerOverArabic);
    case EventKind::kFestival:
      return Choose(arabic, kFestivalOverEnglish, kFestivalOverArabic);
    case EventKind::kSatellite:
      return Choose(arabic, kSatelliteOverEnglish, kSatelliteOverArabic);
    case EventKind::kFirmware:
      return Choose(arabic, kFirmwareOverEnglish, kFirmwareOverArabic);
  }
  return kStormOverEnglish;
}

const Phrases& ReplyPhrases(bool arabic) { return Choose(arabic, kReplyEnglish, kReplyArabic); }
const Phrases& ChatterPhrases(bool arabic) { return Choose(arabic, kChatterEnglish, kChatterArabic); }

}  // namespace rhodes
