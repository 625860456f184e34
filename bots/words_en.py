"""The bot's sentences in English, for those that matter most; the rest are said in Chinese."""

from __future__ import annotations

EN: dict[str, str] = {
    "welcome": "Hello, this is {city} {hotline}. For emergencies call 110 (police), 119 (fire), 120 (ambulance). Please describe your problem, or reply: 2 report a problem, 3 progress, 0 an agent. What you tell us is used only to handle your matter{privacy}.",
    "privacy": "; see {url}",
    "menu": "Please describe your problem, or reply: 2 report a problem, 3 progress, 0 an agent.",
    "empty": "There were no words in your message. Please describe your problem, or reply 0 for an agent.",
    "not_understood": "Sorry, I did not understand. Please say it another way, or reply 0 for an agent.",
    "danger": "You may be in danger. Call 110 (police), 119 (fire), 120 (ambulance) or 122 (traffic accident) now. Staff on duty have been alerted. Are you safe? 1 yes, 2 no",
    "danger_self": "Your safety matters to us. Please call 120 or 110 now, or the helpline 12356. Staff will contact you. Where are you?",
    "ask_text": "Please tell us what happened (text, voice, photo or video).",
    "ask_place": "Where is it? Send a location, or write district, street and number.",
    "ask_when": "When did it happen? 1 now, 2 today, 3 these days, 4 for a long time",
    "ask_demand": "What would you like to be done?",
    "ask_contact": "Please leave a name and a phone number, so that the office in charge can reach you.",
    "done": "Submitted. Case number {case_no}, query code {code}. We accept it within {hours} hours and tell you by {channel}.",
    "done_accepted": "Submitted and accepted. Case number {case_no}, query code {code}. We will tell you by {channel} how it goes on.",
    "queued": "You are in the queue for an agent, {ahead} ahead of you. {agents} Your messages are kept. 1 keep waiting, 2 call me back, 3 leave a message",
    "agents_none": "No agent is online at the moment; in urgent cases call {hotline}, day and night.",
    "agents_some": "An agent will take over in turn.",
    "heard": "Noted; the agent will see it. In urgent cases call {hotline}.",
    "via_wechat": "WeChat",
    "via_sms": "SMS",
    "via_phone": "phone",
}
