"""What is said of files that are no recordings, or no whole ones. Pure, and kept in rows: see `stored_words`."""

from __future__ import annotations

from energy.marking import gettext_noop as _

LONGEST_S = 6 * 3600

NO_AUDIO = _("This is no audio file that can be read here: mp3, wav, flac, ogg, opus, m4a, aac, aiff and webm can.")
DAMAGED = _("This file begins like audio and cannot be read: it is damaged, or its end is missing.")
NO_SOUND = _("There is no sound in this file.")
LONGER = _("This recording is longer than {limit} hours, which is as long as one may be.")
TOO_LONG = LONGER.format(limit=LONGEST_S // 3600)
TOO_MUCH = _("This file unfolds to more than a recording of its length would have. It is not taken.")
TOO_LONG_TO_READ = _("Reading this file takes too long. It is not taken.")
UNREADABLE = _("This file cannot be read. It is not taken.")
GONE = _("What was uploaded of this file is gone. Upload it again.")
END_MISSING = _("The end of this file is missing: what is there, {length}, counts.")
END_MISSING_OF = _("The end of this file is missing: what is there, {length} of {declared}, counts.")

SENTENCES = (
    *(NO_AUDIO, DAMAGED, NO_SOUND, LONGER, TOO_MUCH, TOO_LONG_TO_READ, UNREADABLE, GONE),
    *(END_MISSING_OF, END_MISSING),
)
