# نصوص الصفحات العامة بالعربية. كل رسالة موجودة في كل فهرس وبالقيم نفسها.

## الإطار

skip = انتقل إلى المحتوى
mark = الاستخدام المقبول
nav-label = الصفحات
nav-report = إبلاغ
nav-statements = بيانات الأسباب
nav-transparency = الأرقام
nav-policies = السياسات
nav-log = السجل
simulated-label = بيانات محاكاة
simulated = كل ما هنا محاكاة. لا وجود لأي عميل أو حساب أو قرار مذكور فيها.
foot = مراجعة الاستخدام المقبول اعتمادًا على سجلات الاستخدام وحدها. لا يُقرأ أي محتوى، ولا تقيّد آلةٌ أحدًا: يقرر الناس، اثنان على الأقل، وعلنًا.

## المشكلات

error-home = إلى الصفحة الأولى
error-unknown = لا توجد صفحة كهذه
error-unknown-page = لا شيء في العنوان { $address }. ربما كُتب خطأً، أو أن الصفحة لم تعد موجودة.
error-forbidden = هذا غير مسموح به
error-forbidden-says = ما طلبته ليس متاحًا لك.
error-method = ليس بهذه الطريقة
error-method-says = هذا العنوان يجيب عن أنواع أخرى من الطلبات.
error-large = هذا أكبر مما ينبغي
error-large-says = هذا أكثر مما يُقبل هنا، ولم يُحفظ منه شيء.
error-conflict = لم يعد الأمر كما كان
error-wrong = لم ينجح ذلك
error-wrong-says = في ما أُرسل خطأ، ولم يُنفَّذ منه شيء.
error-ours = الخطأ منا
error-ours-says = لم يُنفَّذ شيء على نحو ناقص. حاول مرة أخرى بعد دقيقة؛ وإن تكرر ذلك فأخبرنا من فضلك.

## النماذج

form-wrong = يلزم تصحيح ما يلي قبل الإرسال:
form-needed = هذه الخانة مطلوبة.
form-long = طول هذا { $bytes } بايت، والحد الأقصى { $most }. اختصره أو أرفقه ملفًا.
form-one-line = يُكتب هذا في سطر واحد.

## الصفحة الأولى

in-english = ما يلي بالإنجليزية، كما نُشر أو اتُّفق عليه.
home-title = الاستخدام المقبول
home-eyebrow = مراجعة الاستخدام المقبول
home-head = ما ترفض { $provider } أن تُستخدم فيه، وكيف يُتخذ القرار بشأنه
home-lede = تحظر الشروط بعض استخدامات خدمات السحابة والذكاء الاصطناعي، وفي مقدمتها المراقبة الجماعية للمدنيين. هنا يستطيع أي شخص أن يبلغ عن استخدام كهذا، وأن يقرأ ما تقرر ولماذا، وأن يتحقق من أن شيئًا لم يُغيَّر ولم يُحذف.
home-report-button = أبلغ عن استخدام
home-mailbox-button = افتح صندوق بريدي
home-number-statements = بيانات وتصحيحات منشورة
home-number-policies = بنود قيد المراجعة
home-number-entries = قيود في السجل العام
home-for = لمن هذا الموقع
home-seen = رأيتَ شيئًا
home-seen-says = للعاملين والصحفيين والمتضررين والمنظمات ومقدمي الخدمات الآخرين: أبلغ عما رأيت، من دون اسم إن شئت. تُعطى سبع كلمات تقرأ بها الردود.
home-public = تريد أن تعرف ما تقرر
home-public-says = كل بيان أسباب: أي بند، وأي خدمات، وأين، ومن متى وإلى متى، وكيف يمكن الاعتراض عليه.
home-auditor = لا تريد أن تكتفي بكلامنا
home-auditor-says = السجل العام شجرة ميركل لا تفعل سوى أن تنمو. تحقق منها من الخارج بأمر واحد، أو ببرنامج من عندك.
home-numbers = تريد الأرقام
home-numbers-says = في كل عام: ما ورد، وما تقرر، وما أُلغي، ومن حاول التأثير، وأي مواعيدنا فاتتنا.
home-rules = تريد القواعد
home-rules-says = كل بند كاملًا: ما يجب إثباته، وما قد يثبته، وما تحتاج إليه المراجعة من خطوات، وما لا يجوز إيقافه أبدًا.
home-how = ماذا يحدث لاستخدام يبدو محظورًا
home-step-seen = يُلاحَظ.
home-step-seen-says = ببلاغ، أو بمؤشرات تُحسب من سجلات الاستخدام الخاصة بمقدم الخدمة. لا يُقرأ أي محتوى.
home-step-case = ينظر فيه الناس.
home-step-case-says = تُفتح قضية لها خطوات ومواعيد. يتنحى كل من لديه تعارض في المصالح. ويُستمع إلى العميل.
home-step-decision = يقرر اثنان على الأقل.
home-step-decision-says = يوقّع كل منهما بمفتاحه الخاص على القائمة الدقيقة لما يُوقَف. لا تقرر آلة، ولا يقرر أحد وحده.
home-step-notice = يُبلَّغ العميل بالسبب أولًا.
home-step-notice-says = لا يُوقف شيء قبل تبليغ أسبابه. ويستمر كل ما عداه، ويمكن إخراج البيانات ما لم يبيّن قرارٌ لماذا لا.
home-step-appeal = يمكن الاعتراض عليه.
home-step-appeal-says = يفصل في الاعتراض أشخاص غير الذين قرروا من قبل، ويمكن رفع كل تقييد على الفور.
home-never = ما لا يحدث أبدًا
home-never-content = لا يُقرأ محتوى العملاء ولا يُحفظ ولا يُطلب.
home-never-machine = لا تقيّد أحدًا آلةٌ، ولا يقيّده شخص واحد.
home-never-who = لا رأي للمبيعات ولا للأسعار ولا للحكومات ولا لشهرة المبلِّغ. ومن حاول أن يكون له رأي يُحصى ويُنشر.

## السياسات

policies-title = السياسات
policies-lede = بنود الشروط التي تُفتح القضايا بموجبها، مع كل ما تحتاج إليه مراجعة كل منها.
policies-none = لا سياسة سارية هنا.
policy-version = الإصدار { $version }
policy-interventions = ما يجوز الأمر به
policy-interventions-says = من الأخف إلى الأشد. كلما كان أبعد أثرًا وجب أن يكون اليقين أكبر.
policy-intervention = التدبير
policy-reach = مدى أثره
policy-protected = لا يُوقف أبدًا: { $services }.
policy-steps = خطوات المراجعة
policy-signals = المؤشرات
policy-signals-says = ما يُحسب من سجلات الاستخدام. المؤشر دليل للناس ولا يقرر شيئًا.
reach-asks = يسأل، ولا يقيّد أحدًا
reach-interim = يُبقي الأمور على حالها: اشتباه معقول
reach-disables = يُوقف: الأرجح ثبوته
reach-terminates = ينهي الخدمة: دليل واضح ومقنع

## السجل

log-title = السجل العام
log-lede = كل قرار وبيان وتصحيح وإحصاء سنوي قيدٌ في سجل لا يمكنه إلا أن ينمو. ومن قرأه مرة يرى إن غُيّر فيه شيء بعد ذلك.
log-entries = القيود
log-origin = اسمه الذي يعرّف به نفسه
log-check = تحقق بنفسك
log-check-says = بالبرنامج الذي يشغّل هذا الموقع، ومن أي جهاز:
log-check-what = يجلب كل قيد، ويحسب الشجرة من جديد، ويقارنها بنقطة التحقق الموقّعة، ويتأكد من أن كل بيان وكل جدول سنوي هو النص الذي يسمّي السجل بصمته، ثم يعدّ.
log-key = مفتاح السجل
log-key-says = احتفظ به: نقطة تحقق لا تصح به ليست من هذا السجل.
log-files = الملفات
log-files-says = كما تصفها مواصفتا C2SP tlog-tiles و tlog-checkpoint، لأي برنامج يقرأ سجلات كهذه.
log-file-checkpoint = أحدث جذر موقّع.
log-file-tile = ألواح من البصمات؛ واللوح المكتمل لا يتغير أبدًا.
log-file-entries = القيود نفسها، بصيغة JSON.
log-file-json = البيانات بأسماء حقول قاعدة الشفافية الأوروبية لقانون الخدمات الرقمية.
log-checkpoint = نقطة التحقق الآن
log-none = ليس للسجل نقطة تحقق بعد.
log-in = ما الذي فيه
log-in-decision = القرارات، فورًا، على هيئة التزامات: لا يستطيع أحد أن يخمن منها من تخص.
log-in-text = البيانات والتصحيحات والإحصاءات السنوية، ببصمة نصها.
log-in-batch = كل ما عدا ذلك مما حدث، مرة كل يوم، في دفعات من حجم واحد، فلا يُعرف شيء من عددها ولا من ترتيبها.
log-in-erasure = عمليات المحو: قد يذهب نص، ويقول السجل إنه ذهب.

## البيانات

statements-title = بيانات الأسباب
statements-lede = ما تقرر، وعلى أي أساس، وفي أي خدمات، وكيف يمكن الاعتراض عليه. ولا يُسمّى العميل إلا حيث تقرر ذلك.
statements-clause = البند
statements-service = الخدمة
statements-region = المنطقة
statements-year = السنة
statements-day = اليوم
statements-what = ما أُمر به
statements-any = أيّ
statements-filter = اعرض
statements-found = { $count ->
    [0] لا بيانات.
    [one] بيان أو تصحيح واحد.
    [two] بيانان أو تصحيحان.
    [few] { $count } بيانات وتصحيحات.
    [many] { $count } بيانًا وتصحيحًا.
   *[other] { $count } بيان وتصحيح.
}
statements-none = لم يُنشر شيء بعد.
statements-none-such = لا شيء مما نُشر على هذه الصفة.
statements-all = اعرض الكل
statements-everywhere = في كل مكان
statements-pages = المزيد
statements-newer = الأحدث
statements-older = الأقدم
statement-title = بيان أسباب
statement-correction = تصحيح
statement-corrected = مصحَّح
statement-corrects = يحل هذا محل ما نُشر من قبل.
statement-read-correction = اقرأ التصحيح
statement-read-wrong = اقرأ ما يصححه
statement-place = مكانه في السجل العام
statement-day = نُشر في
statement-entry = القيد
statement-not-yet = ليس في السجل بعد
statement-not-yet-says = لم يذكره السجل بعد؛ وسيذكره خلال دقائق.
statement-check = البصمة هي SHA-256 للنص. للتحقق من أنه ما نُشر:
statement-text = النص وحده

## الأرقام

transparency-title = الشفافية
transparency-lede = تُعدّ أرقام كل سنة من جديد من السجل كله عند انقضائها، وتدخل بصمتها السجل العام. فلا يمكن أن تتغير بعد ذلك دون أن يُرى ذلك.
transparency-none = لم تُنشر أي سنة بعد. تظهر أرقام السنة عند انقضائها.
months-title = ما يقوله السجل
months-lede = شهرًا بشهر، معدودًا من السجل العام وحده. ومن كان لديه السجل حصل على الأرقام نفسها.
months-none = ليس في السجل قيد بعد.
months-month = الشهر
months-decisions = القرارات
months-lifts = قرارات الرفع
months-statements = البيانات
months-corrections = التصحيحات
months-erasures = عمليات المحو
counted-title = ما الذي يُعدّ
counted-lede = ستُنشر هذه الأرقام أيًّا كان ما تقوله.
year-title = تقرير الشفافية { $year }
year-lede = معدود من السجل عند انقضاء السنة. الأوقات بالتوقيت العالمي؛ وما كان مفتوحًا أو ساريًا فكما كان في نهايتها.
numbers-indicator = عدد
numbers-bar = مقارنة
numbers-number = العدد
numbers-nothing = لا شيء.
numbers-reports = ما ورد
numbers-reports-says = البلاغات، بحسب طريقة ورودها. وعدد من يبلغون عن الشيء نفسه لا يُعدّ دليلًا؛ يُقرّ باستلام البلاغ خلال ٢٤ ساعة ويُنظر فيه خلال ٧٢.
numbers-cases = ما جرى النظر فيه
numbers-cases-says = القضايا، بحسب ما أدى إليها، وكيف انتهت، وما ثبت فيها. والقضايا المتروكة تُعدّ مغلقة.
numbers-decisions = ما طُلب وممن
numbers-decisions-says = ما اقتُرح وما أُقرّ وما رُفض، من طلب تصريح إلى إنهاء خدمة. وتسقط حالة الطوارئ التي لم يؤكدها أحد.
numbers-appeals = ما اعتُرض عليه
numbers-appeals-says = الاعتراضات وما آلت إليه، وتصحيحات ما كنا نشرناه.
numbers-missed = مواعيد فاتتنا
numbers-missed-says = مواعيدنا نحن، كل منها معدود في السنة التي كان مستحقًا فيها.
numbers-contacts = من تحدث إلى من يقررون
numbers-contacts-says = اتصالات المبيعات والمديرين والسلطات بشأن قضية، بحسب من كانت معه. ليس لهم رأي؛ ولذلك تُعدّ.
row-reports-received = بلاغات واردة
row-reports-acknowledged = أُقرّ باستلامها في الموعد
row-reports-triaged = نُظر فيها في الموعد
row-cases-opened = قضايا فُتحت
row-cases-open = قضايا مفتوحة في النهاية
row-cases-closed = عمليات إغلاق
row-cases-merged = قضايا استمرت في غيرها
row-cases-reopened = قضايا أُعيد فتحها
row-determinations = ما خلصت إليه القضايا
row-median-days = الأيام حتى القرار الأول، في القضية الوسطى
row-proposed = مقترح
row-approved = مُقرّ
row-refused = مرفوض
row-emergencies = حالات طوارئ
row-emergencies-lapsed = حالات طوارئ سقطت
row-hearings-waived = جلسات استماع تنازل عنها شخصان
row-in-force = تقييدات سارية في النهاية
row-appeals-filed = اعتراضات مقدمة
row-appeals-late = قُدمت متأخرة
row-appeals-admitted = متأخرة قُبلت
row-appeals-rejected = رُفضت
row-appeals-part = قُبلت جزئيًا
row-appeals-upheld = قُبلت
row-corrections = تصحيحات
row-missed = فائت
row-contacts = اتصالات
part-anonymous = من دون اسم
part-named = باسم
part-employee = من العاملين
part-machine = من الأجهزة
part-finding = من سجلات الاستخدام
part-report = من البلاغات
part-both = منهما معًا
part-established = ثابت
part-not-established = غير ثابت
part-inconclusive = غير حاسم
part-lift = رفع
part-sales = المبيعات
part-executive = المديرون
part-authority = السلطات
part-reviewer = مع مراجع
part-decider = مع صاحب قرار
part-other = مع غيرهما
part-none = لا شيء
