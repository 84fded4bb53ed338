#pragma once
/*
 * A person's own files: $XDG_CONFIG_HOME/attnscope (or ~/.config/attnscope) holds `settings`, which
 * the window writes, and `input.conf`, keys that take the place of ours. A file that cannot be read
 * is told in one line and left alone. Main thread only.
 */
#include "app/screen.h"

/** What the settings file said when the window opened, and what the command line made of it. */
struct Config {
    const char *folder;      /* NULL = there is no home */
    SessionOptions loaded;   /* of the file, or the defaults */
    SessionOptions opened;   /* with what the command line says: a flag is not kept */
    SessionOptions written;  /* as last written */
    uint64_t recent_written; /* trace_version of the last write */
};

/** Settings and recent list into the session; before options of the command line. */
void config_load(Config *config, Screen *screen);
/** Keys of a person's own over `screen->keys`. */
void config_load_keys(Config *config, Screen *screen);
/** After the options of the command line were applied. */
void config_opened(Config *config, const Screen *screen);
/** Writes what has changed since; cheap when nothing has. Failures are logged once. */
void config_save(Config *config, const Screen *screen);
