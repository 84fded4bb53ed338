#include "tokenizer/piece_file.h"

#include "base/str.h"
#include "tokenizer/clip.h"
#include "tokenizer/vocab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the wire ---- */

typedef enum WireType { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } WireType;

/** Bytes of one message, read field by field. */
typedef struct Wire {
    const uint8_t *bytes;
    size_t n;
    size_t at;
    size_t base; /* of bytes[0] in the file, for messages */
    const char *name;
} Wire;

typedef struct Field {
    uint32_t number;
    WireType type;
    uint64_t value; /* WIRE_VARINT, WIRE_32, WIRE_64 */
    Wire bytes;     /* WIRE_BYTES */
} Field;

static bool broken(const Wire *w, const char *what, Error *err)
{
    return error_set(err, ERR_FORMAT,
                     "%s is not a SentencePiece model, or is cut off: %s at byte %zu", w->name,
                     what, w->base + w->at);
}

static bool read_varint(Wire *w, uint64_t *value, Error *err)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (w->at >= w->n) {
            return broken(w, "a number without an end", err);
        }
        const uint8_t byte = w->bytes[w->at++];
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            return true;
        }
    }
    return broken(w, "a number of more than 64 bits", err);
}

static bool read_fixed(Wire *w, size_t n, uint64_t *value, Error *err)
{
    if (n > w->n - w->at) {
        return broken(w, "a number that ends behind its message", err);
    }
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        *value |= (uint64_t)w->bytes[w->at++] << (8 * i);
    }
    return true;
}

/** The next field; only where w->at < w->n. */
static bool read_field(Wire *w, Field *field, Error *err)
{
    uint64_t key;
    *field = (Field){0};
    if (!read_varint(w, &key, err)) {
        return false;
    }
    if (key >> 3 == 0 || key >> 3 > (1u << 29) - 1) {
        return broken(w, "a field whose number cannot be", err);
    }
    field->number = (uint32_t)(key >> 3);
    field->type = (WireType)(key & 7);
    switch (field->type) {
    case WIRE_VARINT:
        return read_varint(w, &field->value, err);
    case WIRE_32:
        return read_fixed(w, 4, &field->value, err);
    case WIRE_64:
        return read_fixed(w, 8, &field->value, err);
    case WIRE_BYTES:
        if (!read_varint(w, &field->value, err)) {
            return false;
        }
        if (field->value > w->n - w->at) {
            return broken(w, "a field that ends behind its message", err);
        }
        field->bytes = (Wire){.bytes = w->bytes + w->at,
                              .n = (size_t)field->value,
                              .base = w->base + w->at,
                              .name = w->name};
        w->at += (size_t)field->value;
        return true;
    }
    return broken(w, "a field of a kind that is not known", err);
}

/* ---- its messages ---- */

/** What a field is put into, and how. */
typedef enum TargetKind { TARGET_BOOL, TARGET_INT, TARGET_FLOAT, TARGET_TEXT } TargetKind;
typedef struct Target {
    uint32_t number;
    TargetKind kind;
    void *out; /* bool *, int64_t *, float *, TextView * */
} Target;

static void put(const Target *target, const Field *field)
{
    switch (target->kind) {
    case TARGET_BOOL:
        *(bool *)target->out = field->value != 0;
        break;
    case TARGET_INT:
        *(int64_t *)target->out = (int64_t)field->value;
        break;
    case TARGET_FLOAT: {
        const uint32_t bits = (uint32_t)field->value;
        memcpy(target->out, &bits, sizeof bits);
        break;
    }
    case TARGET_TEXT:
        *(TextView *)target->out = (TextView){(const char *)field->bytes.bytes, field->bytes.n};
        break;
    }
}

/** Fields that no target names are passed over, as the format wants it. */
static bool read_message(Wire message, const Target *targets, size_t n_targets, Error *err)
{
    static const WireType TYPES[] = {[TARGET_BOOL] = WIRE_VARINT,
                                     [TARGET_INT] = WIRE_VARINT,
                                     [TARGET_FLOAT] = WIRE_32,
                                     [TARGET_TEXT] = WIRE_BYTES};
    while (message.at < message.n) {
        Field field;
        if (!read_field(&message, &field, err)) {
            return false;
        }
        for (size_t i = 0; i < n_targets; i++) {
            if (targets[i].number == field.number) {
                if (field.type != TYPES[targets[i].kind]) {
                    return broken(&message, "a field of another kind than it should be", err);
                }
                put(&targets[i], &field);
            }
        }
    }
    return true;
}

static bool read_piece(Wire message, FilePiece *piece, Error *err)
{
    int64_t type = PIECE_NORMAL;
    const Target targets[] = {
        {1, TARGET_TEXT, &piece->name}, {2, TARGET_FLOAT, &piece->score}, {3, TARGET_INT, &type}};
    if (!read_message(message, targets, AS_COUNT(targets), err)) {
        return false;
    }
    if (type < PIECE_NORMAL || type > PIECE_BYTE) {
        return broken(&message, "a piece of a kind that is not known", err);
    }
    piece->type = (PieceType)type;
    return true;
}

static bool read_trainer(Wire message, PieceFile *file, Error *err)
{
    int64_t model = PIECE_MODEL_UNIGRAM;
    const Target targets[] = {
        {3, TARGET_INT, &model},
        {24, TARGET_BOOL, &file->spaces_are_suffixes},
        {35, TARGET_BOOL, &file->byte_fallback},
        {46, TARGET_TEXT, &file->bos},
        {47, TARGET_TEXT, &file->eos},
        {48, TARGET_TEXT, &file->pad},
    };
    if (!read_message(message, targets, AS_COUNT(targets), err)) {
        return false;
    }
    if (model < PIECE_MODEL_UNIGRAM || model > PIECE_MODEL_CHAR) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: its kind of model is %lld; known are 1 (Unigram), 2 (BPE), 3 (words) "
                         "and 4 (characters)",
                         message.name, (long long)model);
    }
    file->model = (PieceModel)model;
    return true;
}

static bool read_normalizer(Wire message, PieceFile *file, Error *err)
{
    const Target targets[] = {
        {2, TARGET_TEXT, &file->charsmap},
        {3, TARGET_BOOL, &file->adds_space},
        {4, TARGET_BOOL, &file->trims_spaces},
        {5, TARGET_BOOL, &file->escapes_spaces},
    };
    return read_message(message, targets, AS_COUNT(targets), err);
}

/* ---- what must hold ---- */

static int compare_pieces(const void *a, const void *b)
{
    const FilePiece *x = *(const FilePiece *const *)a;
    const FilePiece *y = *(const FilePiece *const *)b;
    const int order = memcmp(x->name.text, y->name.text, AS_MIN(x->name.n, y->name.n));
    return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static bool check_different(const PieceFile *file, const char *name, Error *err)
{
    const FilePiece **sorted = mem_alloc(file->n * sizeof *sorted, err);
    if (!sorted) {
        return false;
    }
    for (size_t i = 0; i < file->n; i++) {
        sorted[i] = &file->pieces[i];
    }
    qsort(sorted, file->n, sizeof *sorted, compare_pieces);
    bool ok = true;
    for (size_t i = 1; i < file->n && ok; i++) {
        ok = compare_pieces(&sorted[i - 1], &sorted[i]) != 0 ||
             error_set(err, ERR_FORMAT, "%s: pieces %zu and %zu are both \"%.*s\"", name,
                       (size_t)(AS_MIN(sorted[i - 1], sorted[i]) - file->pieces),
                       (size_t)(AS_MAX(sorted[i - 1], sorted[i]) - file->pieces),
                       clip_text(sorted[i]->name.text, sorted[i]->name.n), sorted[i]->name.text);
    }
    mem_free(sorted);
    return ok;
}

static bool is_byte_name(TextView name)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    return name.n == 6 && memcmp(name.text, "<0x", 3) == 0 && name.text[5] == '>' &&
           memchr(DIGITS, name.text[3], 16) && memchr(DIGITS, name.text[4], 16);
}

static bool check_pieces(PieceFile *file, const char *name, Error *err)
{
    size_t n_unknown = 0;
    size_t n_bytes = 0;
    for (size_t i = 0; i < file->n; i++) {
        const FilePiece *piece = &file->pieces[i];
        if (!piece->name.n || utf8_count_invalid(piece->name.text, piece->name.n) ||
            memchr(piece->name.text, 0, piece->name.n)) {
            return error_set(err, ERR_FORMAT, "%s: piece %zu is %s", name, i,
                             piece->name.n ? "no text" : "empty");
        }
        if (!isfinite(piece->score)) {
            return error_set(err, ERR_FORMAT, "%s: the score of piece %zu is not a finite number",
                             name, i);
        }
        if (piece->type == PIECE_BYTE && !is_byte_name(piece->name)) {
            return error_set(err, ERR_FORMAT, "%s: piece %zu stands for a byte, but is \"%.*s\"",
                             name, i, clip_text(piece->name.text, piece->name.n), piece->name.text);
        }
        n_bytes += piece->type == PIECE_BYTE;
        if (piece->type == PIECE_UNKNOWN) {
            file->unknown = i;
            n_unknown++;
        }
    }
    if (n_unknown != 1) {
        return error_set(err, ERR_FORMAT, "%s: %zu pieces stand for what is unknown, not one", name,
                         n_unknown);
    }
    if (!check_different(file, name, err)) {
        return false;
    }
    return n_bytes == (file->byte_fallback ? 256 : 0) ||
           error_set(err, ERR_FORMAT, "%s: %zu of its pieces stand for bytes, expected %d", name,
                     n_bytes, file->byte_fallback ? 256 : 0);
}

bool piece_file_is(const uint8_t *bytes, size_t n)
{
    /* The first field is the first piece: a message of some bytes that begins with its text. */
    Wire w = {.bytes = bytes, .n = n, .name = ""};
    Field piece;
    Field text;
    Error ignored = {0};
    return n && bytes[0] == (1 << 3 | WIRE_BYTES) && read_field(&w, &piece, &ignored) &&
           piece.bytes.n && read_field(&piece.bytes, &text, &ignored) && text.number == 1 &&
           text.type == WIRE_BYTES;
}

bool piece_file_read(PieceFile *file, Arena *arena, const uint8_t *bytes, size_t n,
                     const char *name, Error *err)
{
    enum { FIELD_PIECES = 1, FIELD_TRAINER = 2, FIELD_NORMALIZER = 3 };
    *file = (PieceFile){.model = PIECE_MODEL_UNIGRAM,
                        .adds_space = true,
                        .trims_spaces = true,
                        .escapes_spaces = true,
                        .bos = {"<s>", 3},
                        .eos = {"</s>", 4},
                        .pad = {"<pad>", 5}};
    ARRAY_OF(FilePiece) pieces = {0};
    Wire w = {.bytes = bytes, .n = n, .name = name};
    bool ok = true;
    while (ok && w.at < w.n) {
        Field field;
        FilePiece piece = {0};
        ok = read_field(&w, &field, err);
        if (!ok || field.number > FIELD_NORMALIZER) {
            continue;
        }
        if (field.type != WIRE_BYTES) {
            ok = broken(&w, "a number where a message should be", err);
        } else if (field.number == FIELD_PIECES) {
            ok = (pieces.n < VOCAB_MOST_IDS ||
                  error_set(err, ERR_RANGE, "%s: more than %d pieces", name, VOCAB_MOST_IDS)) &&
                 read_piece(field.bytes, &piece, err) && ARRAY_PUSH(&pieces, piece, err);
        } else {
            ok = field.number == FIELD_TRAINER ? read_trainer(field.bytes, file, err)
                                               : read_normalizer(field.bytes, file, err);
        }
    }
    ok = ok && (pieces.n ||
                error_set(err, ERR_FORMAT, "%s has no pieces: is it a SentencePiece model?", name));
    file->pieces = ok ? ARENA_ARRAY(arena, FilePiece, pieces.n, err) : NULL;
    if (file->pieces) {
        memcpy(file->pieces, pieces.items, pieces.n * sizeof *pieces.items);
        file->n = pieces.n;
    }
    ARRAY_FREE(&pieces);
    return file->pieces && check_pieces(file, name, err);
}
