#include "tokenizer/chat.h"

#include "tokenizer/engine.h"
#include "tokenizer/template.h"

#include <string.h>
#include <time.h>

enum {
    MOST_STEPS = 4000000,
    MOST_BYTES = 64 << 20, /* of values and output, and so many times the messages */
    BYTES_A_BYTE = 64
};

static bool set_text(TemplateRun *run, const char *name, const char *text)
{
    return template_assign(run, run->top, name, value_text(text, strlen(text)));
}

static bool put(TemplateRun *run, ValueDict *dict, const char *name, const char *text, size_t n)
{
    Value copy;
    return value_copy_text(run, text, n, &copy) &&
           value_dict_set(run, dict, value_text(name, strlen(name)), copy);
}

static bool set_variables(TemplateRun *run, const ChatDesc *desc)
{
    Value messages;
    bool ok = value_list(run, &messages);
    for (size_t i = 0; i < desc->n_messages && ok; i++) {
        const ChatMessage *m = &desc->messages[i];
        Value message;
        ok = value_dict(run, &message) &&
             put(run, message.dict, "role", m->role, strlen(m->role)) &&
             put(run, message.dict, "content", m->text, m->n) &&
             value_list_add(run, messages.list, message);
    }
    for (size_t i = 0; i < desc->n_names && ok; i++) {
        ok = !desc->texts[i] || set_text(run, desc->names[i], desc->texts[i]);
    }
    return ok && template_assign(run, run->top, "messages", messages) &&
           template_assign(run, run->top, "tools", value_none()) &&
           template_assign(run, run->top, "documents", value_none()) &&
           template_assign(run, run->top, "add_generation_prompt", value_bool(!desc->closed));
}

char *chat_render(const ChatDesc *desc, Arena *arena, size_t *n_out, Error *err)
{
    Arena scratch = {0};
    StrBuf out = {0};
    TemplateScope top = {0};
    TemplateRun run = {.arena = &scratch,
                       .err = err,
                       .out = &out,
                       .top = &top,
                       .time_s = desc->time_s ? desc->time_s : (int64_t)time(NULL),
                       .most_steps = MOST_STEPS,
                       .most_bytes = MOST_BYTES};
    for (size_t i = 0; i < desc->n_messages; i++) {
        run.most_bytes += BYTES_A_BYTE * AS_MIN(desc->messages[i].n, (size_t)1 << 30);
        run.most_steps += 4 * AS_MIN(desc->messages[i].n, (size_t)1 << 30);
    }
    if (utf8_count_invalid(desc->source, desc->n_source)) {
        error_set(err, ERR_FORMAT, "chat template: it is not UTF-8");
        return NULL;
    }
    const TemplateNode *tree = template_parse(&scratch, desc->source, desc->n_source, err);
    bool ok = tree && set_variables(&run, desc) && template_execute(&run, tree);
    char *text = ok ? arena_strndup(arena, strbuf_text(&out), out.n, err) : NULL;
    *n_out = out.n;
    ARRAY_FREE(&top.variables);
    strbuf_free(&out);
    arena_destroy(&scratch);
    return text ? text : (error_wrap(err, "chat template"), NULL);
}

const char *tokenizer_chat_template(const Tokenizer *t)
{
    return t->chat.source;
}

char *tokenizer_wrap_chat(const Tokenizer *t, const char *text, size_t n, const char *system,
                          Arena *arena, size_t *n_out, Error *err)
{
    static const char *const names[SPECIAL_COUNT] = {
        [SPECIAL_BOS] = "bos_token",  [SPECIAL_EOS] = "eos_token", [SPECIAL_PAD] = "pad_token",
        [SPECIAL_UNK] = "unk_token",  [SPECIAL_CLS] = "cls_token", [SPECIAL_SEP] = "sep_token",
        [SPECIAL_MASK] = "mask_token"};
    if (!t->chat.source) {
        error_set(err, ERR_UNSUPPORTED,
                  "this model carries no chat template (tokenizer_config.json, "
                  "chat_template.jinja or tokenizer.chat_template of a GGUF): leave out --chat");
        return NULL;
    }
    ChatMessage messages[2] = {{"system", system, system ? strlen(system) : 0}, {"user", text, n}};
    ChatDesc desc = {.source = t->chat.source,
                     .n_source = t->chat.n_source,
                     .messages = messages + !system,
                     .n_messages = system ? 2 : 1,
                     .names = names,
                     .texts = t->chat.tokens,
                     .n_names = SPECIAL_COUNT};
    return chat_render(&desc, arena, n_out, err);
}

bool chat_take_template(Tokenizer *t, const char *source, size_t n, Error *err)
{
    t->chat.source = arena_strndup(&t->arena, source, n, err);
    t->chat.n_source = n;
    return t->chat.source != NULL;
}

bool chat_read_config(Tokenizer *t, const cJSON *config, Error *err)
{
    const cJSON *found = json_get(config, "chat_template");
    if (cJSON_IsArray(found)) {
        /* Several by name: the one called default, else the first. */
        const cJSON *first = found->child;
        for (const cJSON *item = first; item; item = item->next) {
            const char *name = json_get_string(item, "name", "");
            first = strcmp(name, "default") == 0 ? item : first;
        }
        found = json_get(first, "template");
    }
    return !cJSON_IsString(found) ||
           chat_take_template(t, found->valuestring, strlen(found->valuestring), err);
}
