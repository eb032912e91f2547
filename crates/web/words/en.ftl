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
foot = Review of acceptable use, from usage records alone. It reads no content, and no machine restricts anybody: people decide, at least two, in public.

## Problems

error-home = To the first page
error-unknown = There is no such page
error-unknown-page = Nothing is at { $address }. It may have been mistyped, or be gone.
error-forbidden = This is not allowed
error-forbidden-says = What you asked for is not open to you.
error-method = Not in this way
error-method-says = This address answers other kinds of requests than this one.
error-large = That is too large
error-large-says = It is more than is taken here, and nothing of it was kept.
error-conflict = It is not as it was
error-wrong = That did not work
error-wrong-says = Something is wrong with what was sent, and nothing of it was carried out.
error-ours = That was our fault
error-ours-says = Nothing was carried out by halves. Try again in a minute; if it happens again, please tell us.

## Forms

form-wrong = Some of this has to be mended before it can be sent:
form-needed = Something must stand here.
form-long = This has { $bytes } bytes; { $most } are the most. Say it shorter, or attach it as a file.
form-one-line = This goes on one line.
