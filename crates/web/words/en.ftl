# The texts of the public pages, in English. Every message stands in every catalogue, with the same values.

## The frame

skip = Skip to the content
mark = acceptable use
nav-label = Pages
nav-report = Report
nav-statements = Statements
nav-transparency = Numbers
nav-policies = Policies
nav-log = Log
simulated-label = Simulated data
simulated = Everything here is simulated. No customer, account or decision in it exists.
foot = Review of acceptable use, from usage records, documents and what people told. It reads no customer’s content, and no machine restricts anybody: at least two people decide, and their reasons are published.

## Problems

error-home = To the start page
error-unknown = There is no such page
error-unknown-page = Nothing is at { $address }. The address may be mistyped, or the page gone.
error-forbidden = This is not allowed
error-forbidden-says = What you asked for is not open to you.
error-method = Not in this way
error-method-says = This address answers other kinds of requests than this one.
error-large = That is too large
error-large-says = It is more than is taken here, and nothing of it was kept.
error-conflict = It is not as it was
error-wrong = That did not work
error-wrong-says = Something is wrong with what was sent, and nothing of it was carried out.
error-host = These are the pages of { $base }: ask there, or let the proxy in front of it pass the Host header on as it came.
error-site = A form of these pages is sent from these pages: open { $base } and send it from there.
error-kind = A form is sent as { $kind }, as a browser sends it.
error-form = The form is not whole: open its page again, and send it from there.
error-fields = A form has { $most } fields at most.
error-bytes = { $most } bytes are the most that is taken here.
error-slow = It did not arrive in time, and nothing of it was kept: send it again.
error-broken = It broke off on its way or is not whole, and nothing of it was kept: send it again.
error-far-too-large = This is far more than is taken at once, and nothing of it was kept: send some of the files later.
error-typed-too-much = What was typed is more than a form takes, and nothing of it was kept: attach it as a file.
error-ours = That was our fault
error-ours-says = Nothing was carried out by halves. Try again in a minute; if it happens again, please tell us.

## Forms

form-wrong = Please mend this first:
form-needed = Fill this in.
form-long = This has { $bytes } bytes; { $most } are the most. Say it shorter, or attach it as a file.
form-one-line = This goes on one line.

## The first page

in-english = What follows is in English, as it was published or agreed.
home-title = Acceptable use
home-eyebrow = Acceptable-use review
home-head = What { $provider } refuses to be used for, and how that is decided
home-lede = Some uses of cloud and AI services are forbidden by the terms, mass surveillance of civilians first of all. Here anybody can report one, read what was decided and why, and check that nothing was altered or left out.
home-report-button = Report a use
home-mailbox-button = Open my mailbox
home-number-statements = statements and corrections published
home-number-policies = { $count ->
    [one] clause under review
   *[other] clauses under review
}
home-number-entries = entries in the public log
home-for = Who this is for
home-seen = You have seen something
home-seen-says = Employees, journalists, people affected, organisations, other providers: report it, without a name if you wish. You are given seven words, and with them you can read answers.
home-public = You want to know what was decided
home-public-says = Every statement of reasons: which clause, which services, where, from when, until when, and how it can be challenged.
home-auditor = You do not want to take our word
home-auditor-says = The public log is a Merkle tree that only grows. Check it from outside with one command, or with a program of your own.
home-numbers = You want the numbers
home-numbers-says = Each year: what came in, what was decided, what was overturned, who tried to influence it, and which of our own deadlines we missed.
home-rules = You want the rules
home-rules-says = Each clause in full: what must be shown, what may show it, which steps a review needs, and what can never be switched off.
home-how = What happens to a use that looks forbidden
home-step-seen = It is noticed.
home-step-seen-says = By a report, or by signals computed from the provider's own usage records. No content is read.
home-step-case = People look.
home-step-case-says = A case opens, with steps and clocks. Whoever has a conflict steps aside. The customer is heard.
home-step-decision = At least two decide.
home-step-decision-says = Each signs the exact list of what is switched off, with a key of their own. No machine decides, and nobody alone.
home-step-notice = The customer is told why, first.
home-step-notice-says = Nothing is switched off before its reasons are served. Everything else goes on, and data can be taken out unless a decision says why not.
home-step-appeal = It can be challenged.
home-step-appeal-says = Other people decide an appeal than those who decided before, and every restriction can be lifted at once.
home-never = What never happens
home-never-content = Customer content is not read, kept or asked for.
home-never-machine = Nobody is restricted by a machine, or by one person.
home-never-who = Sales, prices, governments and the fame of a reporter have no say. Every attempt is counted and published.

## Policies

policies-title = Policies
policies-lede = The clauses of the terms under which cases open, with all that a review of each needs.
policies-none = No policy is in force here.
policy-version = Version { $version }
policy-interventions = What may be ordered
policy-interventions-says = From the mildest to the hardest. The further it reaches, the surer it must be.
policy-intervention = Intervention
policy-reach = How far it reaches
policy-protected = Never switched off: { $services }.
policy-digest = The digest of this version:
policy-steps = Steps of a review
policy-signals = Signals
policy-signals-says = What is computed from usage records. A signal is evidence for people and decides nothing.
reach-asks = Asks, and restricts nobody
reach-interim = Holds things as they are: reasonable suspicion
reach-disables = Switches off: more likely than not
reach-terminates = Ends the service: clear and convincing

## The log

log-title = The public log
log-lede = Every decision, statement, correction and yearly count is an entry of a log that can only grow. Whoever has read it once sees if anything is changed later.
log-entries = Entries
log-origin = The log’s name
log-check = Check it yourself
log-check-says = With the program that runs this site, from any machine:
log-check-what = It fetches every entry, computes the tree anew, compares it with the signed checkpoint, checks that each statement and each year's table is the text whose digest the log names, and counts.
log-key = The log's key
log-key-says = Keep it: a checkpoint that does not verify under it is not of this log.
log-files = The files
log-files-says = As C2SP tlog-tiles and tlog-checkpoint describe them, for any program that reads such logs.
log-file-checkpoint = The newest signed root.
log-file-tile = Tiles of hashes; a tile that is full never changes.
log-file-entries = The entries themselves, as JSON.
log-file-json = Statements in the field names of the EU's DSA Transparency Database.
log-checkpoint = The checkpoint now
log-none = The log has no checkpoint yet.
log-in = What is in it
log-in-decision = Decisions, at once, as commitments: nobody can guess from them whom they are about.
log-in-text = Statements, corrections and yearly counts, by the digest of their text.
log-in-batch = Everything else that happened, once a day, in batches of one size, so that nothing can be told from how many they are or in which order.
log-in-erasure = Erasures: a text may go, and the log says that it went.

## Statements

statements-title = Statements of reasons
statements-lede = What was decided, on which ground, in which services, and how it can be challenged. The customer is named only where that was decided.
statements-clause = Clause
statements-service = Service
statements-region = Region
statements-year = Year
statements-day = Day
statements-what = What is ordered
statements-any = any
statements-filter = Show
statements-found = { $count ->
    [0] No statement.
    [one] One statement or correction.
   *[other] { $count } statements and corrections.
}
statements-none = Nothing has been published yet.
statements-none-such = Nothing that was published is like this.
statements-all = Show all
statements-everywhere = everywhere
statements-pages = More
statements-newer = Newer
statements-older = Older
statement-title = Statement of reasons
statement-correction = Correction
statement-corrected = Corrected
statement-corrects = This takes the place of something that was published before.
statement-read-correction = Read the correction
statement-read-wrong = Read what it corrects
statement-place = Its place in the public log
statement-day = Published on
statement-entry = Entry
statement-not-yet = not yet in the log
statement-not-yet-says = The log does not name it yet; it does so within minutes.
statement-check = The digest is the SHA-256 of the text. To check that it is what was published:
statement-text = The text alone

## Numbers

transparency-title = Transparency
transparency-lede = The numbers of each year are counted anew from the whole record when the year is over, and their digest goes into the public log. They can never change afterwards without being seen.
transparency-none = No year is published yet. A year's numbers appear when it is over.
months-title = What the log tells
months-lede = Month by month, counted from the public log alone. Anybody who has the log gets the same.
months-none = The log has no entry yet.
months-month = Month
months-decisions = Decisions
months-lifts = Liftings
months-statements = Statements
months-corrections = Corrections
months-erasures = Erasures
counted-title = What is counted
counted-lede = These numbers will be published, whatever they say.
year-title = Transparency report { $year }
year-lede = Counted from the record when the year was over. Times are UTC; what was open or in force is as the year ended.
numbers-indicator = Number of
numbers-bar = Compared
numbers-number = Count
numbers-nothing = None.
numbers-reports = What came in
numbers-reports-says = Reports, by how they came. How many people report the same is evidence of nothing; a report is acknowledged within 24 hours and looked at within 72.
numbers-cases = What was looked into
numbers-cases-says = Cases, by what brought them about; how they ended; and what was found. Dropped cases count as closed.
numbers-decisions = What was asked of whom
numbers-decisions-says = What was proposed, approved and refused, from asking for a declaration to ending a service. An emergency that nobody confirmed lapses.
numbers-appeals = What was challenged
numbers-appeals-says = Appeals, what became of them, and corrections of what we had published.
numbers-missed = Deadlines that we missed
numbers-missed-says = Our own, each counted in the year in which it was due.
numbers-contacts = Who spoke with those who decide
numbers-contacts-says = Contacts by sales, executives and authorities about a case, by whom they were with. They have no say; so they are counted.
row-reports-received = Reports received
row-reports-acknowledged = Acknowledged in time
row-reports-triaged = Looked at in time
row-cases-opened = Cases opened
row-cases-open = Cases open at the end
row-cases-closed = Closings
row-cases-merged = Cases that went on in another
row-cases-reopened = Cases reopened
row-determinations = Determinations
row-median-days = Days to the first decision, the middle case
row-proposed = Proposed
row-approved = Approved
row-refused = Refused
row-emergencies = Emergencies
row-emergencies-lapsed = Emergencies that lapsed
row-hearings-waived = Hearings that two people waived
row-in-force = Restrictions in force at the end
row-appeals-filed = Appeals filed
row-appeals-late = Filed too late
row-appeals-admitted = Late ones that were admitted
row-appeals-rejected = Rejected
row-appeals-part = Upheld in part
row-appeals-upheld = Upheld
row-corrections = Corrections
row-missed = Missed
row-reviews-asked = Reviews that reporters asked for
row-measures-taken = Measures that took effect
row-leaving-decided = On data that was leaving
row-kinds-of-use = Kinds of use after a measure
row-employees-told = Times employees were told
row-contacts = Contacts
part-anonymous = without a name
part-named = with a name
part-employee = employees
part-machine = machines
part-finding = from usage records
part-report = from reports
part-both = from both
part-established = established
part-not-established = not established
part-inconclusive = inconclusive
part-lift = lifting
part-sales = sales
part-executive = executives
part-authority = authorities
part-reviewer = with a reviewer
part-decider = with a decider
part-other = with somebody else
part-let-go = let go
part-hold-export = export held
part-preserve = preserved on a legal order
part-stopped = were to stop, and did
part-still = were to stop, and did not
part-as-before = were to go on, and did as before
part-less = were to go on, and are at less than half
part-none = none
clock-acknowledge = acknowledge a report
clock-triage = look at a report
clock-tell = tell who reported
clock-interim = decide whether an interim measure is needed
clock-preliminary = preliminary statement
clock-final = final statement
clock-answer = the customer’s answer
clock-leaving = two decide about the data that leaves
clock-check-30 = check after 30 days
clock-check-90 = check after 90 days
clock-check-180 = check after 180 days
clock-task = end what people do
clock-look-again = look again at a decision
clock-look-use = look again at a declared use
clock-employees = tell employees
clock-appeal = decide an appeal
clock-carry-out = carry out an appeal

## The tip line

report-title = Report a use
report-lede = You have seen cloud or AI services used for something that the terms forbid. Tell it here, without a name if you wish. This works in Tor Browser at its safest setting, and runs no script.
report-start = Begin a report
report-safe = Before you begin
report-safe-network = Do not use a device or a network of your employer's: they may see that you were here, whatever we keep.
report-safe-tor = If it would harm you to be known, come with Tor Browser. We keep no address, but whoever carries your connection may.
report-safe-text = What you write may tell who you are. Leave out what only few could know, unless it is what matters.
report-expect = What to expect
report-expect-now = At once:
report-expect-now-says = You are given seven words. They are shown once, and are the only way back to your report.
report-expect-day = Within a day:
report-expect-day-says = Your report is acknowledged. Open your mailbox with the seven words to see it.
report-expect-three = Within three days:
report-expect-three-says = An intake officer has looked at it. They may ask you something in your mailbox.
report-expect-outcome = Within 90 days:
report-expect-outcome-says = You are told what came of it.
report-expect-review = If you disagree:
report-expect-review-says = Ask for review in your mailbox, and others look again.
report-kept = What is kept
report-kept-text = What you write and attach, padded to one of a few sizes and encrypted before it is stored: to two intake officers, and to a recovery key that lies elsewhere.
report-kept-day = The day on which it came, and no time.
report-kept-name = Your name, only if you give it: encrypted twice, for two custodians who can open it only together. Opening it is recorded.
report-not = What is not kept
report-not-address = Your network address, and anything that your browser says of itself. There is no access log.
report-not-time = The time, or in which order reports came.
report-not-words = The seven words. Who loses them loses the mailbox.
report-not-cookie = Cookies: none is set.
report-honest = What you should know
report-honest-memory = This server sees your text for a moment, in memory, before it is encrypted. A form without a script cannot avoid that.
report-honest-age = If that is too much, encrypt a file with age for somebody you trust and attach it: it is kept as it came, unopened.
report-employees = If you work here
report-employees-says = The same, and the clocks of the EU's whistleblower directive (2019/1937) hold:
report-employees-clocks = Acknowledged within seven days at the latest, and told what came of it within three months.
report-employees-check = You are asked in your mailbox after 1, 3 and 12 months whether anybody made you suffer for it.
report-employees-outside = You may always go to an authority instead, or as well.
report-machines = Programs send their reports to /api/reports: XARF 4, notices under Article 16 of the EU’s Digital Services Act, and CloudEvents with one of them.
report-new = Your report
report-new-lede = Write what you know and how you know it. You can add to it later.
report-text = What happens
report-text-hint = Which services, where, since when, for what; and how you know. A customer's name, a contract or a project helps. Do not send content of customers: we do not read it.
report-channel = How you report
report-anonymous = Without a name
report-named = With a name, which two custodians keep
report-employee = As somebody who works here, with a name or without
report-who = Your name, and how to reach you
report-who-hint = Only if you report with a name. Nobody who looks into the report sees it.
report-who-missing = You chose to report with a name: give it, or choose to report without.
report-who-anonymous = You chose to report without a name, and here is one: empty this, or choose to give it.
report-choose = Choose one of these.
report-keep-from = Who must not see it
report-keep-from-hint = People or teams who may be involved, one on each line, by the number or name they have at work. Your report is not encrypted to an officer of that number or team.
report-keep-from-wrong = At most 50, one on each line, each at most 200 characters long.
report-files = Files
report-files-hint = At most 16, and 8 MB each, 12 MB in all. From JPEG, PNG and WebP pictures we take out place, camera and time. PDF and Office documents, other pictures, films and sound are kept as they are, and may name who made them.
report-send = Send
report-send-says = It is encrypted and stored before you are told that it was.
report-nothing = There is no text and no file: write what you want to say.
report-crowded = So much has come today that this is not taken before midnight (UTC). What you typed is still here. If files are with it, send it without them now, and add them tomorrow with your seven words; else send it tomorrow.
report-failed = It could not be stored just now, and nothing of it was. What you typed is still here: send it again in a minute.
report-wait = Many are writing now
report-wait-says = { $seconds ->
    [one] The form opens by itself in a second. Nobody is sent away.
   *[other] The form opens by itself in { $seconds } seconds. Nobody is sent away.
}
files-many = There are more than 16 files. Send some of them later; you have to choose the others again.
files-large = The files are more than is taken at once: 8 MB each and 12 MB in all. Choose fewer, and send the others later.
files-again = Choose the files again: a browser does not keep them.
ticket-early = This was sent very soon. Send it again in { $seconds } seconds; what you typed is still here.
ticket-over = The form was too old or was not whole. Send it again; what you typed is still here.
receipt-title = Your seven words
receipt-kept = Your report is stored, encrypted.
receipt-words = These words open your mailbox. Write them down, in this order:
receipt-once = They are shown once and kept by nobody.
receipt-hand = Write them by hand rather than storing them on a device that others may search.
receipt-lost = Whoever has them can read your mailbox. If you lose them, nobody can get them back. Come back within a day: your report is acknowledged there.
receipt-before = This form was sent already, and its words are shown no more. If you have not got them, send your report again from a new form.
receipt-files = Your files
file-cleaned = Stored without what the picture said of place, camera and time.
file-encrypted = It came encrypted, and is stored as it came.
file-tells = Stored as it came. Files of this kind often carry names, times or places.
file-unknown = Stored as it came, unopened.
mailbox-title = Your mailbox
mailbox-lede = Read answers, learn what came of your report, add to it, or ask others to look again.
mailbox-words = Your seven words
mailbox-words-hint = In their order. Capitals, commas and line breaks do not matter.
mailbox-open = Open
mailbox-letters = What we wrote to you
mailbox-no-letters = Nothing yet.
mailbox-outcome = what came of it
mailbox-erased = This letter was erased.
mailbox-check-in = { $months ->
    [one] A month ago you reported something here. Has anybody made you suffer for it, or threatened to: dismissal, other work, worse pay, a bad report, being kept out? If so, write it below; it is read by intake officers, never by those you named. If not, you need not answer. You will be asked again.
    [12] A year ago you reported something here. Has anybody made you suffer for it, or threatened to: dismissal, other work, worse pay, a bad report, being kept out? If so, write it below; it is read by intake officers, never by those you named. If not, you need not answer. You will not be asked again.
   *[other] { $months } months ago you reported something here. Has anybody made you suffer for it, or threatened to: dismissal, other work, worse pay, a bad report, being kept out? If so, write it below; it is read by intake officers, never by those you named. If not, you need not answer. You will be asked again.
}
mailbox-review-waits = You asked others to look again. Somebody will.
mailbox-waiting = { $count ->
    [one] One thing that you sent waits to be taken up; that happens once a day.
   *[other] { $count } things that you sent wait to be taken up; that happens once a day.
}
mailbox-more = Write more
mailbox-text = What you want to add
mailbox-text-hint = An answer, something you forgot, or why others should look again.
mailbox-add = Add this
mailbox-review = Ask others to look again
mailbox-review-says = You can ask for review once somebody has looked at your report. Others than those who looked before then look again.
mailbox-added = What you sent is stored. If a report was made with these words, it is taken up within a day.
mailbox-review-done = Your wish is stored. If a report was made with these words, others look again.
mailbox-again = Look for new answers
mailbox-close = Close this page when you have read it: we keep nothing of it, but your browser may still show it.
stage-nothing = Nothing is here under these words. If you made a report, look how each word is spelled and in which order they stand.
stage-received = Your report came in and is stored. It is acknowledged within a day.
stage-acknowledged = Your report is acknowledged. An officer looks at it within three days.
stage-looked-at = An officer has looked at your report.
stage-told = You were told what came of your report.
words-count = { $count ->
    [one] A receipt has 7 words and this has 1: type all of them, in their order.
   *[other] A receipt has 7 words and this has { $count }: type all of them, in their order.
}
words-unknown = These words are in no receipt, by their places: { $places }. Look how they are spelled, and type all seven again: what you typed is not kept.
words-long = This is longer than any receipt: type its 7 words and nothing else.
