/* .npz archives: stored and deflated arrays, and archives that lie. */
#include "testing.h"

#include "formats/npz.h"

#include <zlib.h>

enum { MOST = 4096 };

typedef struct Archive {
    unsigned char bytes[MOST];
    size_t n, list;
    int entries;
} Archive;

static void put(Archive *a, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        a->bytes[a->n++] = (unsigned char)(i < 8 ? v >> (8 * i) : 0);
    }
}

static void put_bytes(Archive *a, const void *data, size_t n)
{
    assert_true(a->n + n < MOST);
    memcpy(a->bytes + a->n, data, n);
    a->n += n;
}

/* An .npy of float32 [2, 3]: 0.5, 1.5, … */
static size_t make_npy(unsigned char *out)
{
    static const char header[] =
        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    memset(out, ' ', 128);
    memcpy(out, header, sizeof header - 1);
    out[127] = '\n';
    for (int i = 0; i < 6; i++) {
        float v = (float)i + 0.5f;
        memcpy(out + 128 + 4 * i, &v, 4);
    }
    return 128 + 24;
}

/* One archive with one entry, as numpy.savez (or savez_compressed) writes it. */
static Archive make_with(bool deflated, bool wide)
{
    Archive a = {0};
    unsigned char npy[256];
    unsigned char packed[512];
    size_t n = make_npy(npy);
    size_t n_packed = n;
    memcpy(packed, npy, n);
    if (deflated) {
        z_stream s = {0};
        assert_int_equal(deflateInit2(&s, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        s.next_in = npy;
        s.avail_in = (uInt)n;
        s.next_out = packed;
        s.avail_out = sizeof packed;
        assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
        n_packed = s.total_out;
        deflateEnd(&s);
    }
    uint32_t crc = (uint32_t)crc32(crc32(0, NULL, 0), npy, (uInt)n);
    for (int central = 0; central < 2; central++) {
        a.list = a.n;
        put(&a, central ? 0x02014b50 : 0x04034b50, 4);
        put(&a, 20, central ? 4 : 2);
        put(&a, 0, 2); /* flags */
        put(&a, deflated ? 8 : 0, 2);
        put(&a, 0, 4); /* time */
        put(&a, crc, 4);
        put(&a, n_packed, 4);
        put(&a, n, 4);
        put(&a, 5, 2);
        put(&a, 0, 2);
        if (central) {
            put(&a, 0, 2 + 2 + 2 + 4);
            put(&a, 0, 4); /* where the entry is */
        }
        put_bytes(&a, "q.npy", 5);
        if (!central) {
            put_bytes(&a, packed, n_packed);
        }
    }
    size_t size = a.n - a.list;
    size_t wide_at = a.n;
    if (wide) { /* the end record of archives past 4 GiB, and where it is */
        put(&a, 0x06064b50, 4);
        put(&a, 44, 8);
        put(&a, 45, 2);
        put(&a, 45, 2);
        put(&a, 0, 8);
        put(&a, 1, 8);
        put(&a, 1, 8);
        put(&a, size, 8);
        put(&a, a.list, 8);
        put(&a, 0x07064b50, 4);
        put(&a, 0, 4);
        put(&a, wide_at, 8);
        put(&a, 1, 4);
    }
    put(&a, 0x06054b50, 4);
    put(&a, 0, 4);
    put(&a, 1, 2);
    put(&a, 1, 2);
    put(&a, wide ? UINT32_MAX : size, 4);
    put(&a, wide ? UINT32_MAX : a.list, 4);
    put(&a, 0, 2);
    return a;
}

static Archive make(bool deflated)
{
    return make_with(deflated, false);
}

static void test_npz_read__stored_and_deflated(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        Archive a = make_with(kind % 2, kind / 2);
        NpzFile file;
        NpyArray array;
        Error err = {0};
        float values[6];
        assert_ok(npz_open_memory(&file, "a.npz", a.bytes, a.n, &err), err);
        assert_int_equal(file.n, 1);
        assert_null(npz_find(&file, "k"));
        assert_non_null(npz_find(&file, "q"));
        assert_ok(npz_read(&file, npz_find(&file, "q"), &array, &err), err);
        assert_int_equal(array.n_dims, 2);
        assert_int_equal(array.shape[1], 3);
        npy_to_floats(&array, values);
        assert_true(values[0] == 0.5f && values[5] == 5.5f);
        const void *first = array.data; /* asked for again, it is not unpacked again */
        assert_ok(npz_read(&file, npz_find(&file, "q"), &array, &err), err);
        assert_ptr_equal(array.data, first);
        npz_close(&file);
    }
}

/* Any byte may be changed or missing: it is refused or read, never a fault (run under asan). */
static void test_npz_open__hostile(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        Archive good = make_with(kind % 2, kind / 2);
        for (size_t i = 0; i < good.n; i++) {
            static const unsigned char changes[] = {0x00, 0xFF, 0x7F, 0x01};
            for (size_t c = 0; c <= AS_COUNT(changes); c++) {
                Archive a = good;
                size_t n = c == AS_COUNT(changes) ? i : a.n;
                if (c < AS_COUNT(changes)) {
                    a.bytes[i] = changes[c];
                }
                unsigned char *exact = test_malloc(n ? n : 1);
                memcpy(exact, a.bytes, n);
                NpzFile file;
                NpyArray array;
                Error err = {0};
                if (npz_open_memory(&file, "a.npz", exact, n, &err)) {
                    for (size_t e = 0; e < file.n; e++) {
                        (void)!npz_read(&file, &file.entries[e], &array, &err);
                    }
                    npz_close(&file);
                } else {
                    assert_true(err.code == ERR_FORMAT || err.code == ERR_UNSUPPORTED);
                }
                test_free(exact);
            }
        }
    }
}

static void test_npz_open__says_what(void **state)
{
    (void)state;
    static const struct {
        int at, value; /* from the list of entries */
        const char *says;
    } rows[] = {{10, 12, "packed in a way"},
                {8, 1, "encrypted"},
                {20, 1, "cannot be"},
                {0, 0, "list of entries"},
                {42, 9, "not where"}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Archive a = make(false);
        NpzFile file;
        Error err = {0};
        a.bytes[a.list + (size_t)rows[i].at] = (unsigned char)rows[i].value;
        assert_false(npz_open_memory(&file, "a.npz", a.bytes, a.n, &err));
        if (!strstr(err.message, rows[i].says)) {
            print_error("%s: expected \"%s\"\n", err.message, rows[i].says);
            fail();
        }
    }
    Archive a = make(false);
    NpzFile file;
    NpyArray array;
    Error err = {0};
    a.bytes[170] ^= 1; /* a number of the array */
    assert_ok(npz_open_memory(&file, "a.npz", a.bytes, a.n, &err), err);
    assert_false(npz_read(&file, &file.entries[0], &array, &err));
    assert_true(strstr(err.message, "check sum") != NULL);
    npz_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npz_read__stored_and_deflated),
        cmocka_unit_test(test_npz_open__hostile),
        cmocka_unit_test(test_npz_open__says_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
