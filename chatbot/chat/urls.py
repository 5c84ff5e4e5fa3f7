from django.urls import path

from chatbot.chat import pages

app_name = "chat"
urlpatterns = [
    path("", pages.chat, name="chat"),
    path("new/", pages.new, name="new"),
    path("earlier/", pages.conversations, name="conversations"),
    path("earlier/<uuid:conversation_id>/", pages.conversation, name="conversation"),
    path("search/", pages.search, name="search"),
    path("friend/", pages.friend, name="friend"),
]
