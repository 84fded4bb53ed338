#include "model/picture.h"

#include "base/file.h"
#include "formats/image.h"
#include "model/model_internal.h"

/* How pictures are prepared. */
typedef struct Preparation {
    bool resizes, rescales, normalises;
    int64_t filter;
    double factor; /* of rescaling */
    double mean[3], deviation[3];
} Preparation;

static bool read_triple(const Config *config, const char *key, double out[3], Error *err)
{
    const cJSON *list = config_get(config, key);
    if (!list) {
        return true;
    }
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 3 || !cJSON_IsNumber(item)) {
            return error_set(err, ERR_FORMAT, "%s: %s is no list of 3 numbers", config->name, key);
        }
        out[i] = item->valuedouble;
    }
    return true;
}

static bool read_config(const Config *config, Preparation *p, Error *err)
{
    bool crops = false;
    if (!config_get_bool(config, "do_resize", true, &p->resizes, err) ||
        !config_get_bool(config, "do_rescale", true, &p->rescales, err) ||
        !config_get_bool(config, "do_normalize", true, &p->normalises, err) ||
        !config_get_bool(config, "do_center_crop", false, &crops, err) ||
        !config_get_int(config, "resample", 0, 5, IMAGE_BILINEAR, &p->filter, err) ||
        !config_get_number(config, "rescale_factor", 1e-9, 1e9, 1.0 / 255, &p->factor, err) ||
        !read_triple(config, "image_mean", p->mean, err) ||
        !read_triple(config, "image_std", p->deviation, err)) {
        return false;
    }
    if (crops || p->filter > IMAGE_BICUBIC) {
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: do_center_crop or resample %lld is not supported", config->name,
                         (long long)p->filter);
    }
    for (int i = 0; i < 3; i++) {
        if (p->normalises && !(p->deviation[i] > 0)) {
            return error_set(err, ERR_FORMAT, "%s: image_std has %g", config->name,
                             p->deviation[i]);
        }
    }
    return true;
}

/* Without the file, as ViT's own: bilinear, [0, 1] to [-1, 1]. */
static bool read_preparation(const Model *model, Arena *arena, Preparation *p, Error *err)
{
    Config config = {0};
    *p = (Preparation){.resizes = true,
                       .rescales = true,
                       .normalises = true,
                       .filter = IMAGE_BILINEAR,
                       .factor = 1.0 / 255,
                       .mean = {0.5, 0.5, 0.5},
                       .deviation = {0.5, 0.5, 0.5}};
    const char *path = arena_printf(arena, err, "%s/preprocessor_config.json", model->info.path);
    if (!path) {
        return false;
    }
    if (!*model->info.path || !path_exists(path)) {
        return true;
    }
    const bool ok = config_open(&config, path, err) && read_config(&config, p, err);
    config_close(&config);
    return ok;
}

bool model_read_picture(const Model *model, const char *path, Arena *arena, Picture *picture,
                        Error *err)
{
    const int32_t side = model->info.image.side;
    Preparation p;
    Image image;
    if (side < 1) {
        return error_set(err, ERR_UNSUPPORTED, "%s reads no pictures", model->info.name);
    }
    if (!read_preparation(model, arena, &p, err) || !image_read(path, arena, &image, err)) {
        return false;
    }
    if (image.width != side || image.height != side) {
        if (!p.resizes) {
            return error_set(err, ERR_RANGE, "%s: %d x %d pixels; %s reads pictures of %d x %d",
                             path, image.width, image.height, model->info.name, side, side);
        }
        if (!image_resize(&image, side, side, (ImageFilter)p.filter, arena, &image, err)) {
            return false;
        }
    }
    const size_t n = (size_t)side * (size_t)side;
    float *pixels = ARENA_ARRAY(arena, float, 3 * n, err);
    for (size_t c = 0; pixels && c < 3; c++) {
        for (size_t i = 0; i < n; i++) {
            double value = image.rgb[3 * i + c];
            value = p.rescales ? value * p.factor : value;
            pixels[c * n + i] =
                (float)(p.normalises ? (value - p.mean[c]) / p.deviation[c] : value);
        }
    }
    *picture = (Picture){image.rgb, pixels};
    return pixels != NULL;
}
