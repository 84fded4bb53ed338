# Files that travel inside the program: as_embed(TARGET FILES…) makes base/embedded.h's table.
# The assembler's .incbin takes any size at once, where a C array of bytes takes minutes.

function(as_embed TARGET)
    set(assembly ".section .rodata\n")
    set(externs "")
    set(rows "")
    set(index 0)
    foreach(file IN LISTS ARGN)
        file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${file})
        string(APPEND assembly
            ".global as_embedded_${index}\n.global as_embedded_${index}_end\n.balign 64\n"
            "as_embedded_${index}:\n.incbin \"${file}\"\nas_embedded_${index}_end:\n.byte 0\n")
        string(APPEND externs
            "extern const unsigned char as_embedded_${index}[], as_embedded_${index}_end[];\n")
        string(APPEND rows
            "    {\"${name}\", as_embedded_${index}, as_embedded_${index}_end},\n")
        math(EXPR index "${index} + 1")
    endforeach()
    string(APPEND assembly ".section .note.GNU-stack,\"\",%progbits\n")
    set(folder ${CMAKE_BINARY_DIR}/generated)
    file(CONFIGURE OUTPUT ${folder}/embedded.S CONTENT "${assembly}" @ONLY)
    file(CONFIGURE OUTPUT ${folder}/embedded_table.c CONTENT
"#include \"base/embedded.h\"\n\n${externs}
const EmbeddedRow as_embedded_rows[] = {\n${rows}    {0, 0, 0}\n};\n" @ONLY)
    set_source_files_properties(${folder}/embedded.S PROPERTIES OBJECT_DEPENDS "${ARGN}")
    target_sources(${TARGET} PRIVATE ${folder}/embedded.S ${folder}/embedded_table.c)
endfunction()
