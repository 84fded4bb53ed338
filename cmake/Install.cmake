# What an installed program comes with. Manual page and completions are written by the program
# itself, from its own tables; the icon is its logo.
include(GNUInstallDirs)
set(shipped ${CMAKE_BINARY_DIR}/shipped)
file(MAKE_DIRECTORY ${shipped})
set(files)
foreach(row "man attnscope.1" "bash attnscope.bash" "zsh _attnscope" "fish attnscope.fish")
    separate_arguments(row)
    list(GET row 0 topic)
    list(GET row 1 name)
    add_custom_command(OUTPUT ${shipped}/${name}
        COMMAND attnscope help ${topic} > ${shipped}/${name} DEPENDS attnscope VERBATIM)
    list(APPEND files ${shipped}/${name})
endforeach()
add_custom_target(shipped ALL DEPENDS ${files})

install(TARGETS attnscope RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${shipped}/attnscope.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${shipped}/attnscope.bash RENAME attnscope
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${shipped}/_attnscope DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${shipped}/attnscope.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/attnscope.desktop
    DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/attnscope.svg
    DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
install(FILES ${CMAKE_SOURCE_DIR}/README.md
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/attnscope)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE RENAME copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/attnscope)
# What `attnscope help import` names.
install(PROGRAMS ${CMAKE_SOURCE_DIR}/scripts/dump_attention.py
    DESTINATION ${CMAKE_INSTALL_DATADIR}/attnscope)

# cpack -G DEB: dependencies are read from what the program links.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME attnscope)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
    "Every layer, every head and every weight of a transformer model, at any length and exactly: as
heatmaps, curves, step by step and as formulas, in a window or as pictures and numbers for
scripts. Two small models come with it; others are read from safetensors and GGUF files.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "the authors of attnscope")
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Found at run time: fonts the interface is drawn in, the software renderer.
set(CPACK_DEBIAN_PACKAGE_DEPENDS libgl1)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "libgl1-mesa-dri, fonts-inter, fonts-jetbrains-mono, fonts-stix, fontconfig")
include(CPack)
